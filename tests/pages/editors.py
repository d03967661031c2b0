"""A page with the editors of Create, in Chromium, under the portal's own Content-Security-Policy."""

from __future__ import annotations

import io
import mimetypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from csp.utils import build_policy
from django.conf import settings
from django.template import engines
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.journeys.browsers import CALM, PHONE

DESK = {"width": 1280, "height": 800}
ADDRESS = "http://localhost/create/"
STATIC = Path(__file__).parents[2] / "static"
PAGE = """{% load i18n %}<!doctype html><html lang="en"{% if scripts %} class="js"{% endif %}>
<head><title>Create</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{% for name in styles %}<link rel="stylesheet" href="/static/css/{{ name }}.css">{% endfor %}
{% for name in scripts %}<script type="module" src="/static/js/{{ name }}.js"></script>{% endfor %}</head>
<body><template id="portal" data-user="{{ user }}"></template><main><h1 class="visually-hidden">Create</h1>
{{ body|safe }}</main>{{ after|safe }}</body></html>"""
STYLES = ("tokens", "base", "components", "pages", "editors")
SCRIPTS = ("mask_editor", "expand_editor", "compare_slider")


def rendered(template: str, **context: Any) -> str:
    """A template of the product's, or one that is written out here."""
    return engines["django"].from_string(template).render(context)


def page_with(body: str, *, after: str = "", user: int = 7, scripts: tuple[str, ...] = SCRIPTS) -> str:
    """A whole page around these parts."""
    return rendered(PAGE, styles=STYLES, scripts=scripts, body=body, after=after, user=user)


def png(size: tuple[int, int], colour: str = "#7a8fa6") -> bytes:
    """A picture of one colour."""
    return encoded(Image.new("RGB", size, colour), "PNG")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A file of that kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


class Portal:
    """Answers what the browser asks for: the page, our static files, and pictures by their address."""

    def __init__(self, page: str, **pictures: bytes) -> None:
        self.page, self.pictures = page, pictures
        self.complaints: list[str] = []

    def answer(self, route: Route) -> None:
        path = route.request.url.split("?")[0].removeprefix("http://localhost/")
        if path.startswith("static/"):
            name = path.removeprefix("static/")
            file = next(each / name for each in (STATIC, settings.STATIC_ROOT) if (each / name).is_file())
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(name)[0])
        elif path.startswith("pictures/"):
            body = self.pictures[path.removeprefix("pictures/")]
            route.fulfill(body=body, content_type=Image.MIME[str(Image.open(io.BytesIO(body)).format)])
        else:
            policy = {"Content-Security-Policy": build_policy()}
            route.fulfill(body=self.page, content_type="text/html; charset=utf-8", headers=policy)

    def open_in(self, context: BrowserContext) -> Page:
        """A tab with the page; what its console says against it is kept."""
        context.route("**/*", self.answer)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        page.goto(ADDRESS)
        return page

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@contextmanager
def shown(
    chrome: Browser,
    page: str,
    *,
    phone: bool = False,
    dark: bool = False,
    java_script_enabled: bool = True,
    **pictures: bytes,
) -> Iterator[Page]:
    """The page in a window of its own; afterwards its console may not have complained."""
    portal = Portal(page, **pictures)
    context = chrome.new_context(
        viewport=PHONE if phone else DESK,
        has_touch=phone,
        is_mobile=phone,
        device_scale_factor=2 if phone else 1,
        color_scheme="dark" if dark else "light",
        java_script_enabled=java_script_enabled,
        **CALM,
    )
    yield portal.open_in(context)
    context.close()
    assert portal.complaints == []


class Fingers:
    """Touches of the screen."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def __call__(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true; the page's policy forbids how `wait_for_function` evaluates it."""
    deadline = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def inaccessible(page: Page) -> str:
    """What axe finds, as a report; nothing if it finds nothing."""
    results = Axe().run(page)
    return results.generate_report() if results.violations_count else ""


def add_file(page: Page, role: str, *files: bytes) -> None:
    """Choose files for a role, and wait until they are uploaded and shown."""
    before = page.locator(f"[data-input={role}] [data-item]").count()
    names = [
        {"name": f"{role}{n}.png", "mimeType": "image/png", "buffer": data} for n, data in enumerate(files)
    ]
    page.set_input_files(f"#id_file_{role}", names)
    expect(page.locator(f"[data-input={role}] [data-item]")).to_have_count(before + len(files))
