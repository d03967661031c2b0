"""Scripts take all that they show from the page; and each way of showing something else is found."""

from __future__ import annotations

import pytest

from tests.translations import ROOT, report, scripts


def test_every_text_that_a_script_shows_stands_in_a_template():
    ours = [path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts]
    assert len(ours) > 10
    assert report(ours, scripts.faults) == []


@pytest.mark.parametrize(
    "written",
    [
        'label.textContent = "saved";',
        'label.textContent = isOpen ? "open" : portal.closed;',
        "button.title = `${n} left`;",
        'place.innerHTML = "<b>none</b>";',
        'notice("saved");',
        'if (confirm("sure?")) send();',
        "alert(`in ${soon ? 1 : n} days`);",
        'say("in {n} s", { n });',
        'button.setAttribute("aria-label", "close");',
        'row.replaceChildren(icon, "more");',
        'const words = "Try again";',
        'const words = { one: "Picture" };',
        "const words = ok ? 'so far' : portal.none;",
        'Object.assign(button, { title: "close" });',
    ],
)
def test_a_text_of_a_script_is_found(written):
    assert [fault.line for fault in scripts.faults(f"// a script\n{written}")] == [2]


@pytest.mark.parametrize(
    "written",
    [
        "label.textContent = say(label.dataset.words, { n: count });",
        'label.textContent = value("style") ? find("[data-name] .name").textContent : "";',
        'label.textContent = parts.join(", ") + "%"; const kind = "small";',
        'if (label.textContent !== "open") close(label, "open");',
        "chip.className = `glyph glyph-chosen glyph-${shape}`;",
        'body.append("image", file);',
        'if (event.key === "Escape" || /[\'"]Not this/.test(event.key)) stop();',
        'const wide = matchMedia("(min-width: 900px) and (hover: hover)"); // Not this',
        'button.setAttribute("aria-expanded", "true"); /* "Not this" */',
    ],
)
def test_what_comes_from_the_page_or_is_for_machines_is_none(written):
    assert scripts.faults(written) == []
