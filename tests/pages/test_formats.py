"""Dates, durations and amounts are each written in one way, in templates, code and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.template import engines
from django.utils.formats import date_format
from playwright.sync_api import Browser, Page

from generations.core.durations import duration
from generations.credits.amounts import as_text, in_credits
from sdweb.formats.en import formats

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "static" / "js"
NAMED = {name for name in vars(formats) if name.endswith("_FORMAT")}
FOR_MACHINES = {"c", "Y-m-d"}
# The texts of `duration` and `inCredits`, and what is no value: "{n} days" of a choice.
OWN_TEXTS = {"generations/core/durations.py", "generations/credits/amounts.py"}
OWN_LINES = re.compile(r"  data-(seconds|minutes|hours|day|days|credit|credits)=")

UNITS = r"(credits?|s|min|h|seconds?|minutes?|hours?)\b"
IN_TEMPLATES = re.compile(rf"(\}}\}}|\{{\w+\}}) {UNITS}(?![=\w-])")
IN_CODE = re.compile(rf"(%\(\w+\)[sd]|\{{\w+\}}) {UNITS}")
FORMAT = re.compile(r"""\|(?:date|time):(["'])(.*?)\1""")
OF_CODE = re.compile(r"""(?:date|time)_format\([^()"]*(?:\([^()]*\)[^()"]*)*"([^"]*)\"""")


def faults_of_template(source: str) -> Iterator[tuple[int, str]]:
    """Formats that are written out, and units beside a value of a template."""
    for number, line in enumerate(source.split("\n"), 1):
        for found in FORMAT.finditer(line):
            if found[2] not in NAMED | FOR_MACHINES:
                yield number, found[2]
        if (unit := IN_TEMPLATES.search(line)) and not OWN_LINES.match(line):
            yield number, unit[0]
        if re.search(r"\|date(?!:)\b|\|time(?!:)\b|\|(timesince|timeuntil|naturaltime)\b", line):
            yield number, line.strip()


def faults_of_code(source: str) -> Iterator[tuple[int, str]]:
    """Formats that are written out, and units beside a value of a translated text."""
    for number, line in enumerate(source.split("\n"), 1):
        for found in OF_CODE.finditer(line):
            for name in re.findall(r'"([^"]*)"', line[found.start() :]):
                if re.search(r"[jFMYHi]", name) and name not in NAMED:
                    yield number, name
        is_text = "_(" in line or "ngettext(" in line or re.match(r'\s+"', line)
        if is_text and (unit := IN_CODE.search(line)):
            yield number, unit[0]


def test_templates_name_the_format_of_a_date_and_leave_units_to_the_filters():
    assert [
        f"{path.relative_to(ROOT)}:{number}: {fault}"
        for path in sorted((ROOT / "templates").rglob("*.*"))
        for number, fault in faults_of_template(path.read_text())
    ] == []


def test_code_names_the_format_of_a_date_and_leaves_units_to_the_functions():
    rooms = [path for room in ("generations", "sdweb") for path in (ROOT / room).rglob("*.py")]
    assert [
        f"{path.relative_to(ROOT)}:{number}: {fault}"
        for path in sorted(rooms)
        if str(path.relative_to(ROOT)) not in OWN_TEXTS and "sandbox" not in path.parts
        for number, fault in faults_of_code(path.read_text())
    ] == []


def test_scripts_write_times_with_24_hours_as_templates_do():
    usual = re.compile(
        r"(time|date)Style|toLocale(Time|Date)?String\([^)]*[a-z]+Style|toLocale(Time|Date)String"
    )
    written = {path.name: path.read_text() for path in SCRIPTS.glob("*.js")}
    assert [name for name, source in written.items() if usual.search(source)] == []
    clocks = [source for source in written.values() if "hour:" in source]
    assert clocks
    assert all(source.count("hour:") == source.count('hourCycle: "h23"') for source in clocks)


@pytest.mark.parametrize(
    "written",
    [
        "{{ day|date:'j F' }}",
        '{{ at|time:"H:i" }}',
        "{{ day|date }}",
        "{{ credits }} credits",
        "{{ left|credits }} credit",
        "{{ seconds|floatformat:1 }} s",
        "data-text=\"{% translate '{n} credits missing' %}\"",
        "{{ at|timesince }}",
    ],
)
def test_what_a_template_writes_itself_is_found(written):
    assert [number for number, _ in faults_of_template("<p>\n" + written)] == [2]


@pytest.mark.parametrize(
    "written",
    ['date_format(localtime(at), "j F")', '_("%(n)s credits more")', '    "%(n)d min %(m)d s",'],
)
def test_what_code_writes_itself_is_found(written):
    assert [number for number, _ in faults_of_code("\n" + written)] == [2]


@pytest.mark.parametrize(
    "written",
    [
        "{{ day|date:'DATE_FORMAT' }} {{ at|time:\"CLOCK_FORMAT\" }} {{ at|date:'c' }}",
        "{{ amount|in_credits }} {{ amount|credits }} {{ seconds|duration:1 }}",
        '<i {% if a %}b="{{ c }}" selected{% endif %}>',
    ],
)
def test_what_is_written_by_name_is_none(written):
    assert list(faults_of_template(written)) == []


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("DATE_FORMAT", "5 Sep 2026"),
        ("DATETIME_FORMAT", "5 Sep 2026, 14:05"),
        ("TIME_FORMAT", "14:05"),
        ("CLOCK_FORMAT", "14:05:09"),
        ("MONTH_DAY_FORMAT", "5 Sep"),
        ("MONTH_DAY_TIME_FORMAT", "5 Sep, 14:05"),
        ("YEAR_MONTH_FORMAT", "September 2026"),
        ("MONTH_FORMAT", "September"),
        ("WEEKDAY_FORMAT", "Saturday, 5 Sep"),
        ("WEEKDAY_YEAR_FORMAT", "Saturday, 5 Sep 2026"),
        ("SHORT_DATE_FORMAT", "5 Sep 2026"),
    ],
)
def test_a_moment_is_written_by_the_names_of_its_formats(name, written):
    assert date_format(datetime(2026, 9, 5, 14, 5, 9, tzinfo=UTC), name) == written


DURATIONS = {
    0: "0 s",
    8: "8 s",
    8.5: "9 s",
    89.4: "89 s",
    90: "2 min",
    149: "2 min",
    150: "3 min",
    5399: "90 min",
    5400: "2 h",
    47 * 3600: "47 h",
    48 * 3600: "2 days",
    1500 * 86400: "1,500 days",
}
AMOUNTS = {
    0: "0 credits",
    25: "0.25 credits",
    100: "1 credit",
    150: "1.5 credits",
    12_00: "12 credits",
    1_234_50: "1,234.5 credits",
}


@pytest.mark.parametrize(("seconds", "written"), DURATIONS.items())
def test_a_duration_has_one_unit(seconds, written):
    assert duration(seconds) == written


def test_a_measured_time_has_the_decimals_asked_for_and_none_is_a_dash():
    assert [duration(14.06, 1), duration(3, 1), duration(100.4, 1), duration(None)] == [
        "14.1 s",
        "3.0 s",
        "2 min",
        "–",
    ]


@pytest.mark.parametrize(("hundredths", "written"), AMOUNTS.items())
def test_an_amount_has_its_unit_in_the_right_number(hundredths, written):
    assert in_credits(hundredths) == written
    page = engines["django"].from_string(
        "{% load credits %}{{ n|in_credits }}/{{ n|credits }} {{ n|credits_unit }}"
    )
    assert page.render({"n": hundredths}) == f"{written}/{written}"
    assert written.startswith(as_text(hundredths))


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    """A page that has the texts of the scripts."""
    texts = re.findall(
        r"(data-[\w-]+)=\"{% translate '(.*?)' %}\"",
        (ROOT / "templates" / "parts" / "script_texts.html").read_text(),
    )
    portal = " ".join(f'{name}="{text}"' for name, text in texts)
    html = f'<!doctype html><html lang="en"><template id="portal" {portal}></template></html>'
    page = chrome.new_page()
    page.route("**/*.js", lambda route: route.fulfill(path=SCRIPTS / route.request.url.rsplit("/", 1)[1]))
    page.route("**/page", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto("http://localhost/page")
    yield page
    page.close()


def test_scripts_write_durations_and_amounts_as_pages_do(page):
    write = "async (values) => { const page = await import('/page.js'); return values.map(page.%s); }"
    assert page.evaluate(write % "duration", list(DURATIONS)) == list(DURATIONS.values())
    assert page.evaluate(write % "inCredits", list(AMOUNTS)) == list(AMOUNTS.values())
