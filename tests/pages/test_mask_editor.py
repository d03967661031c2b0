"""The mask editor in Chromium: what is painted by mouse, pen, finger and key is in the PNG, to the pixel."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browsers import in_every_window
from tests.pages.editors import Fingers, encoded, inaccessible, page_with, png, rendered, shown, until

FIELD = """<form id="form"><label>Image <input type="file" id="image" name="image"></label>
<img id="preview" alt="" {% if picture %}src="{{ picture }}"{% endif %} width="40">
{% include "jobs/create/mask_field.html" with name="mask" image_input="#image" image_preview="#preview" %}
</form>"""
DIALOG = '{% include "jobs/create/mask_editor.html" %}'
SIZE = (800, 600)
READ = """() => new Promise((resolve) => { const reader = new FileReader();
reader.onload = () => resolve(reader.result.split(",")[1]);
reader.readAsDataURL(document.querySelector("#id_mask").files[0]); })"""
STORED = """() => new Promise((resolve) => { const opening = indexedDB.open("masks", 1);
opening.onsuccess = () => { const database = opening.result;
database.transaction("masks").objectStore("masks").getAll().onsuccess = ({ target }) => {
database.close();
resolve(target.result.map(({ key, mask, draft }) => [key, Boolean(mask), Boolean(draft)])); }; }; })"""


def field_page(*, picture: str = "/pictures/photo", user: int = 7) -> str:
    return page_with(rendered(FIELD, picture=picture), after=rendered(DIALOG), user=user)


@contextmanager
def editor(chrome: Browser, photo: bytes | None = None, **manners: Any) -> Iterator[Page]:
    """The editor, open over a picture."""
    with shown(chrome, field_page(), photo=photo or png(SIZE), **manners) as page:
        open_editor(page)
        yield page


def open_editor(page: Page) -> None:
    page.click("[data-edit-mask]")
    expect(page.locator(".mask-editor")).to_be_visible()
    expect(page.locator(".mask-editor")).not_to_have_attribute("aria-busy", "true")
    until(page, "document.querySelector('[data-zoom]').textContent")


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the picture is in the window."""
    page.evaluate("() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))")
    box = page.locator(".mask-picture").bounding_box()
    width = page.locator(".mask-picture").evaluate("picture => picture.naturalWidth")
    return box["x"] + x * box["width"] / width, box["y"] + y * box["width"] / width


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Paint a line through points of the picture with the mouse."""
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=4)
    page.mouse.up()


def set_size(page: Page, pixels: int) -> None:
    """Take a brush of that size, or the next that its keys offer."""
    shown_size = page.locator("[data-size-text]")
    for _ in range(60):
        size = int(shown_size.text_content().split()[0])
        if size <= pixels:
            break
        page.keyboard.press("[")
    while int(shown_size.text_content().split()[0]) < pixels:
        page.keyboard.press("]")


def press(page: Page, name: str) -> None:
    page.locator(".mask-editor").get_by_role("button", name=name, exact=True).click()


def use(page: Page) -> Image.Image:
    """Use the mask; the PNG in the field."""
    press(page, "Use mask")
    expect(page.locator(".mask-editor")).to_be_hidden()
    return in_field(page)


def in_field(page: Page) -> Image.Image:
    until(page, "document.querySelector('#id_mask').files.length")
    return Image.open(io.BytesIO(base64.b64decode(page.evaluate(READ))))


def grey(mask: Image.Image) -> Image.Image:
    """Its one channel, since all three are the same."""
    red, green, blue = mask.split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()
    return red


def is_near(box: tuple[int, ...] | None, expected: tuple[float, ...]) -> bool:
    """Whether a box is the expected one, but for the pixels that its edge runs through."""
    assert box
    return all(abs(one - other) <= 1.5 for one, other in zip(box, expected, strict=True))


def colours(mask: Image.Image) -> dict[int, int]:
    """How many pixels have which grey."""
    return {value: count for count, value in grey(mask).getcolors()}


# The picture that it makes


def test_a_line_of_the_mouse_is_white_on_black_in_a_png_without_alpha_as_large_as_the_picture(chrome):
    with editor(chrome) as page:
        set_size(page, 40)
        size = int(page.locator("[data-size-text]").text_content().split()[0])
        drag(page, (200, 300), (600, 300))
        page.evaluate("document.addEventListener('change', ({ target }) => { window.changed = target.id })")
        mask = use(page)
        file = base64.b64decode(page.evaluate(READ))
        assert page.evaluate("window.changed") == "id_mask"
        assert page.evaluate("document.querySelector('#id_mask').files[0].name") == "mask.png"
    assert mask.size == SIZE
    assert (file[24], file[25]) == (8, 2)  # depth, and the colour type without alpha
    assert {file[at + 4 : at + 8] for at in chunks(file)} == {b"IHDR", b"IDAT", b"IEND"}
    reach = size / 2
    assert is_near(grey(mask).getbbox(), (200 - reach, 300 - reach, 600 + reach, 300 + reach))
    inside = grey(mask).crop((200, 300 - int(reach) + 2, 600, 300 + int(reach) - 2))
    assert inside.getextrema() == (255, 255)


def chunks(file: bytes) -> Iterator[int]:
    """Where each chunk of a PNG begins."""
    at = 8
    while at < len(file):
        yield at
        at += 12 + int.from_bytes(file[at : at + 4])


def test_a_rectangle_covers_its_pixels_exactly_and_the_eraser_takes_them_away(chrome):
    with editor(chrome) as page:
        page.keyboard.press("r")
        assert zoom(page) == 100  # a pixel of the window is one of the picture
        drag(page, (100, 100), (300, 250))
        page.keyboard.press("e")
        set_size(page, 60)
        drag(page, (200, 50), (200, 300))
        mask = use(page)
    assert grey(mask).getbbox() == (100, 100, 300, 250)
    assert grey(mask).crop((100, 100, 165, 250)).getextrema() == (255, 255)
    assert grey(mask).crop((175, 101, 225, 249)).getextrema() == (0, 0)
    assert grey(mask).crop((235, 100, 300, 250)).getextrema() == (255, 255)


def test_fill_invert_and_clear_change_every_pixel_and_undo_and_redo_go_back_and_forth(chrome):
    everything = {255: SIZE[0] * SIZE[1]}
    with editor(chrome) as page:
        drag(page, (200, 200), (300, 220), (250, 400))
        before = layer_pixels(page)
        press(page, "Invert")
        inverted = layer_pixels(page)
        assert all(one + other == 255 for one, other in zip(before, inverted, strict=True))
        press(page, "Erase everything")
        assert set(layer_pixels(page)) == {0}
        press(page, "Paint everything")
        assert set(layer_pixels(page)) == {255}
        for _ in range(3):
            page.keyboard.press("Control+z")
        assert layer_pixels(page) == before
        page.keyboard.press("Control+Shift+Z")
        assert layer_pixels(page) == inverted
        press(page, "Undo")
        press(page, "Undo")
        assert set(layer_pixels(page)) == {0}
        expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
        for _ in range(4):
            page.keyboard.press("Control+y")
        expect(page.get_by_role("button", name="Redo")).to_have_attribute("aria-disabled", "true")
        assert colours(use(page)) == everything


def layer_pixels(page: Page) -> bytes:
    """Every third pixel of the mask over the picture, drawn anew from the mask."""
    page.keyboard.press("0")
    return overlay_pixels(page)


def overlay_pixels(page: Page) -> bytes:
    """Every third pixel of the mask over the picture, as it is on the screen."""
    return base64.b64decode(
        page.evaluate(
            """() => { const overlay = document.querySelector(".mask-overlay");
            return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
            const canvas = new OffscreenCanvas(overlay.width, overlay.height);
            const copy = canvas.getContext("2d", { willReadFrequently: true });
            copy.drawImage(overlay, 0, 0);
            const { data } = copy.getImageData(0, 0, overlay.width, overlay.height);
            const picture = document.querySelector(".mask-picture").getBoundingClientRect();
            const stage = overlay.getBoundingClientRect();
            const left = Math.ceil(picture.left - stage.left) + 1;
            const top = Math.ceil(picture.top - stage.top) + 1;
            let text = "";
            for (let y = top; y < top + Math.floor(picture.height) - 2; y += 3)
              for (let x = left; x < left + Math.floor(picture.width) - 2; x += 3)
                text += String.fromCharCode(data[4 * (y * overlay.width + x) + 3]);
            resolve(btoa(text)); }))); }"""
        )
    )


def test_a_stroke_looks_as_the_mask_does_that_it_makes(chrome):
    with editor(chrome) as page:
        drag(page, (200, 200), (300, 220), (250, 400))
        page.keyboard.press("e")
        drag(page, (220, 150), (260, 400))
        seen, drawn = overlay_pixels(page), layer_pixels(page)
    differing = [abs(one - other) for one, other in zip(seen, drawn, strict=True) if abs(one - other) > 32]
    assert set(drawn) >= {0, 255}
    assert len(differing) < len(drawn) / 500  # on edges


def test_a_photo_that_its_exif_data_turns_has_a_mask_that_stands_upright(chrome):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter, clockwise: 600 wide and 400 high is shown as 400 wide and 600 high
    photo = encoded(Image.new("RGB", (600, 400), "#555"), "JPEG", exif=exif)
    with editor(chrome, photo) as page:
        assert "400 × 600" in page.locator("[data-picture-size]").text_content()
        set_size(page, 30)
        reach = int(page.locator("[data-size-text]").text_content().split()[0]) / 2
        drag(page, (100, 550), (300, 550))
        mask = use(page)
    assert mask.size == (400, 600)
    assert is_near(grey(mask).getbbox(), (100 - reach, 550 - reach, 300 + reach, 550 + reach))


# Zoom and pan


def test_painting_hits_the_pixels_under_the_pointer_after_zoom_and_pan(chrome):
    with editor(chrome) as page:
        x, y = map(round, at(page, 500, 200))
        point = picture_point(page, x, y)
        page.mouse.move(x, y)
        for _ in range(6):
            page.mouse.wheel(0, -150)
        assert at(page, *point) == pytest.approx((x, y), abs=1)  # what is under the pointer stays there
        assert zoom(page) > 600
        page.keyboard.down(" ")
        page.mouse.down()
        page.mouse.move(x - 80, y + 60, steps=4)
        page.mouse.up()
        page.keyboard.up(" ")
        assert at(page, *point) == pytest.approx((x - 80, y + 60), abs=1)
        set_size(page, 8)
        drag(page, (480, 190), (520, 190))
        mask = use(page)
    assert is_near(grey(mask).getbbox(), (480 - 4, 190 - 4, 520 + 4, 190 + 4))


def picture_point(page: Page, x: float, y: float) -> tuple[float, float]:
    """The point of the picture that is there in the window."""
    (left, top), (right, _) = at(page, 0, 0), at(page, 1, 0)
    return (x - left) / (right - left), (y - top) / (right - left)


def zoom(page: Page) -> int:
    return int(page.locator("[data-zoom]").text_content().removesuffix("%"))


def test_buttons_and_keys_zoom_and_fit_again(chrome):
    with editor(chrome) as page:
        fitted = zoom(page)
        press(page, "Larger")
        until(page, f"!document.querySelector('[data-zoom]').textContent.startsWith('{fitted}')")
        larger = zoom(page)
        assert larger > fitted
        page.keyboard.press("+")
        at(page, 0, 0)
        assert zoom(page) > larger
        page.keyboard.press("0")
        at(page, 0, 0)
        assert zoom(page) == fitted
        press(page, "Smaller")
        at(page, 0, 0)
        assert zoom(page) < fitted
        press(page, "Fit to the window")
        at(page, 0, 0)
        assert zoom(page) == fitted


# Fingers and pens


def test_one_finger_paints_and_two_zoom_and_leave_nothing_behind(chrome):
    with editor(chrome, phone=True) as page:
        touch = Fingers(page)
        set_size(page, 40)
        start, stop = at(page, 200, 300), at(page, 600, 300)
        touch("touchStart", start)
        for step in range(1, 9):
            touch("touchMove", (start[0] + (stop[0] - start[0]) * step / 8, start[1]))
        touch("touchEnd")
        painted = layer_pixels(page)
        fitted, (x, y) = zoom(page), at(page, 400, 100)
        touch("touchStart", (x - 20, y))
        touch("touchStart", (x - 20, y), (x + 20, y))
        for step in range(1, 8):
            touch("touchMove", (x - 20 - 5 * step, y), (x + 20 + 5 * step, y))
        touch("touchEnd", (x - 55, y))
        touch("touchMove", (x - 75, y + 40))  # the finger that is left paints nothing
        touch("touchEnd")
        assert at(page, 400, 100) == pytest.approx((x, y), abs=2)
        assert zoom(page) == pytest.approx(fitted * 2.75, rel=0.05)
        page.keyboard.press("0")
        assert layer_pixels(page) == painted
        mask = use(page)
    size = 40
    box = grey(mask).getbbox()
    assert box
    assert box[2] - box[0] == pytest.approx(400 + size, abs=8)
    assert grey(mask).crop((200, 290, 600, 310)).getextrema() == (255, 255)
    assert grey(mask).crop((0, 0, 800, 260)).getextrema() == (0, 0)


def test_a_pen_paints_and_the_palm_beside_it_does_nothing(chrome):
    with editor(chrome, phone=True) as page:
        session = page.context.new_cdp_session(page)

        def pen(kind: str, x: float, y: float, button: str = "left") -> None:
            place = dict(zip("xy", at(page, x, y), strict=True))
            buttons = 0 if kind == "mouseReleased" else 1
            event = {
                "type": kind,
                "button": button,
                "buttons": buttons,
                "clickCount": 1,
                "pointerType": "pen",
            }
            session.send("Input.dispatchMouseEvent", event | place)

        palm = Fingers(page)
        set_size(page, 40)
        pen("mousePressed", 200, 200)
        pen("mouseMoved", 300, 200)
        palm("touchStart", at(page, 600, 500), at(page, 700, 550))
        palm("touchMove", at(page, 650, 500), at(page, 750, 550))
        pen("mouseMoved", 400, 200)
        pen("mouseReleased", 400, 200)
        palm("touchEnd")
        mask = grey(use(page))
    assert mask.crop((200, 190, 400, 210)).getextrema() == (255, 255)
    assert mask.crop((500, 400, 800, 600)).getextrema() == (0, 0)


def test_the_other_end_of_a_pen_and_the_alt_key_erase(chrome):
    with editor(chrome) as page:
        press(page, "Paint everything")
        set_size(page, 40)
        page.keyboard.down("Alt")
        drag(page, (100, 100), (300, 100))
        page.keyboard.up("Alt")
        page.mouse.move(*at(page, 600, 400))
        page.evaluate(
            """([clientX, clientY]) => { for (const type of ["pointerdown", "pointerup"]) {
            const end = { pointerType: "pen", button: 5, buttons: 32 };
            const pen = { pointerId: 1, ...end, clientX, clientY, bubbles: true };
            document.querySelector(".mask-stage").dispatchEvent(new PointerEvent(type, pen)); } }""",
            at(page, 600, 400),
        )
        mask = grey(use(page))
    assert mask.crop((100, 85, 300, 115)).getextrema() == (0, 0)
    assert mask.crop((590, 390, 610, 410)).getextrema() == (0, 0)
    assert mask.crop((0, 150, 800, 350)).getextrema() == (255, 255)


# Keys and screen readers


def test_keys_alone_move_the_brush_paint_and_say_where_it_is(chrome):
    with editor(chrome) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        expect(page.locator(".mask-stage")).to_be_focused()
        expect(page.locator(".mask-cursor")).to_be_visible()
        page.keyboard.press("ArrowLeft")
        step = 400 - position(page)[0]
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
        up = 300 - position(page)[1]
        assert up >= 7 * step
        page.keyboard.down(" ")
        for _ in range(10):
            page.keyboard.press("Shift+ArrowRight")
        page.keyboard.up(" ")
        expect(page.locator("[data-announcer]")).to_have_text(
            f"800, {300 - up}: not painted"
        )  # beside the picture
        page.keyboard.press("ArrowLeft")
        expect(page.locator("[data-announcer]")).to_have_text(f"{800 - step}, {300 - up}: painted")
        page.keyboard.press("ArrowRight")
        for _ in range(12):
            page.keyboard.press("ArrowDown")
        bottom = position(page)[1]
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+ArrowLeft")  # lifted: this paints nothing
        page.keyboard.press("Shift+ArrowLeft")
        mask = grey(use(page))
    assert mask.crop((400, 300 - up - 5, 800, 300 - up + 5)).getextrema() == (255, 255)
    assert mask.crop((745, bottom - 5, 800, bottom + 5)).getextrema() == (255, 255)
    assert mask.crop((400, bottom + 22 - 43, 700, 600)).getextrema()[1] in {0, 255}
    assert mask.getpixel((650, bottom + 10)) == 0


def position(page: Page) -> tuple[int, int]:
    """Where the brush is, as it is announced."""
    page.wait_for_timeout(350)
    x, y = page.locator("[data-announcer]").text_content().split(":")[0].split(", ")
    return int(x), int(y)


def test_the_tools_are_one_stop_of_the_tab_key_and_arrows_go_along_them(chrome):
    with editor(chrome) as page:
        toolbar = page.get_by_role("toolbar", name="Tools")
        names = toolbar.get_by_role("button").evaluate_all(
            "all => all.map((each) => each.getAttribute('aria-label'))"
        )
        assert all(names)
        assert toolbar.locator("[tabindex='0']").count() == 1
        toolbar.get_by_role("button", name="Brush").focus()
        page.keyboard.press("ArrowRight")
        expect(toolbar.get_by_role("button", name="Eraser")).to_be_focused()
        page.keyboard.press("Enter")
        expect(toolbar.get_by_role("button", name="Eraser")).to_have_attribute("aria-pressed", "true")
        expect(toolbar.get_by_role("button", name="Brush")).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(toolbar.get_by_role("button", name="Redo")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Size of the brush")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        expect(toolbar.get_by_role("button", name="Redo")).to_be_focused()


@in_every_window
def test_axe_finds_nothing_in_the_editor_its_question_and_its_field(chrome, phone, dark):
    with editor(chrome, phone=phone, dark=dark) as page:
        drag(page, (200, 300), (600, 300))
        page.wait_for_timeout(300)
        assert inaccessible(page) == ""
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
        assert inaccessible(page) == ""
        page.locator(".mask-question").get_by_role("button", name="Keep").click()
        expect(page.locator("[data-mask-preview]")).to_be_visible()
        assert inaccessible(page) == ""
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# Closing, and what stays


def test_escape_asks_only_if_something_was_painted_and_not_kept(chrome):
    question = ".mask-question"
    with editor(chrome) as page:
        page.keyboard.press("Escape")
        expect(page.locator(".mask-editor")).to_be_hidden()
        open_editor(page)
        drag(page, (200, 300), (600, 300))
        page.keyboard.press("Control+z")
        page.keyboard.press("Escape")
        expect(page.locator(".mask-editor")).to_be_hidden()
        open_editor(page)
        drag(page, (200, 300), (600, 300))
        page.keyboard.press("Escape")
        expect(page.locator(question)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(question)).to_be_hidden()
        expect(page.locator(".mask-editor")).to_be_visible()
        press(page, "Close")
        page.locator(question).get_by_role("button", name="Discard").click()
        expect(page.locator(".mask-editor")).to_be_hidden()
        assert page.evaluate("document.querySelector('#id_mask').files.length") == 0
        open_editor(page)
        assert set(layer_pixels(page)) == {0}
        drag(page, (200, 300), (600, 300))
        use(page)
        open_editor(page)
        page.keyboard.press("Escape")
        expect(page.locator(".mask-editor")).to_be_hidden()
        expect(page.locator("[data-edit-mask]")).to_be_focused()


def test_a_mask_without_anything_painted_is_not_used(chrome):
    with editor(chrome) as page:
        press(page, "Use mask")
        expect(page.locator(".toast")).to_contain_text("Nothing is painted yet")
        expect(page.locator(".mask-editor")).to_be_visible()


def test_a_reload_keeps_the_mask_and_what_was_painted_since(chrome):
    with editor(chrome) as page:
        drag(page, (200, 300), (600, 300))
        kept = grey(use(page)).tobytes()
        page.reload()
        assert grey(in_field(page)).tobytes() == kept
        expect(page.locator("[data-mask-preview]")).to_be_visible()
        open_editor(page)
        drag(page, (200, 100), (600, 100))
        both = layer_pixels(page)
        until(page, f"({STORED})().then(([row]) => row[2])")
        page.reload()
        assert grey(in_field(page)).tobytes() == kept
        open_editor(page)
        expect(page.locator(".toast")).to_contain_text("What was painted before is back")
        assert layer_pixels(page) == both
        page.keyboard.press("Escape")  # what came back was kept by nobody
        page.locator(".mask-question").get_by_role("button", name="Discard").click()
        expect(page.locator(".mask-editor")).to_be_hidden()
        assert page.evaluate(STORED) == [["7 /pictures/photo", True, False]]


def test_a_mask_comes_back_with_its_file_for_the_same_person_only(chrome):
    photo = {"name": "photo.png", "mimeType": "image/png", "buffer": png(SIZE)}
    with shown(chrome, field_page(picture="")) as page:
        expect(page.get_by_text("Choose a picture first")).to_be_visible()
        page.set_input_files("#image", photo)
        open_editor(page)
        drag(page, (200, 300), (600, 300))
        kept = grey(use(page)).tobytes()
        page.set_input_files("#image", photo | {"buffer": png((64, 64))})
        until(page, "!document.querySelector('#id_mask').files.length")
        page.reload()
        page.set_input_files("#image", photo | {"name": "renamed.png"})
        assert grey(in_field(page)).tobytes() == kept
        page.evaluate("document.querySelector('#portal').dataset.user = '8'")
        page.set_input_files("#image", [])
        page.set_input_files("#image", photo)
        open_editor(page)
        assert set(layer_pixels(page)) == {0}


def answer(page: Page, status: int) -> None:
    """Tell the page, as htmx does, that its form was answered."""
    page.evaluate(
        """(status) => { const elt = document.querySelector("#form");
        const detail = { elt, xhr: { status, getResponseHeader: () => null } };
        elt.dispatchEvent(new CustomEvent("htmx:afterRequest", { bubbles: true, detail })); }""",
        status,
    )


def test_removing_and_sending_delete_what_is_stored(chrome):
    with editor(chrome) as page:
        for finish in (
            lambda: page.get_by_role("button", name="Remove").click(),
            lambda: answer(page, 200),
        ):
            drag(page, (200, 300), (600, 300))
            use(page)
            assert page.evaluate(STORED) == [["7 /pictures/photo", True, False]]
            finish()
            page.wait_for_timeout(200)
            assert page.evaluate(STORED) == []
            open_editor(page)


def test_a_form_that_is_returned_with_errors_keeps_the_mask(chrome):
    with editor(chrome) as page:
        drag(page, (200, 300), (600, 300))
        use(page)
        answer(page, 422)
        page.wait_for_timeout(200)
        assert page.evaluate(STORED) == [["7 /pictures/photo", True, False]]


def test_the_newest_twenty_masks_are_kept(chrome):
    with shown(chrome, field_page(), photo=png(SIZE)) as page:
        page.evaluate(
            """async () => { const { saveMask } = await import("/static/js/mask_store.js");
            for (let n = 0; n < 25; n++) {
              await saveMask(`picture-${n}`, { mask: new Blob(["x"]) });
              await new Promise((done) => setTimeout(done, 2));
            } }"""
        )
        keys = sorted(int(key.split("-")[1]) for key, _, _ in page.evaluate(STORED))
    assert keys == list(range(5, 25))


def test_undo_holds_a_bounded_number_of_bytes(chrome):
    with shown(chrome, field_page(), photo=png(SIZE)) as page:
        held, undone = page.evaluate(
            """async () => { const { createMaskLayer } = await import("/static/js/mask_layer.js");
            const layer = createMaskLayer(2048, 2048);
            let most = 0;
            for (let n = 0; n < 60; n++) { // lines over all tiles: 4 MB a step
              layer.begin();
              for (let y = n; y < 2048; y += 128) layer.line([{ x: 0, y }, { x: 2048, y }], 3, n % 2);
              layer.commit();
              most = Math.max(most, layer.historyBytes());
            }
            let undone = 0;
            while (layer.canUndo) { layer.undo(); undone += 1; }
            return [most, undone]; }"""
        )
    assert 8 * 2**20 < held <= 48 * 2**20
    assert 5 < undone < 60


# Other files


def red_at_both_sides(page) -> tuple[bool, bool]:
    """Whether the preview is painted at its left and at its right side."""
    left, right = page.evaluate(
        """() => { const canvas = document.querySelector("[data-mask-preview]");
        const small = new OffscreenCanvas(canvas.width, canvas.height);
        const copy = small.getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const red = (x) => copy.getImageData(x, 100, 1, 1).data[0];
        return [red(60), red(canvas.width - 60)]; }"""
    )
    return left > 100, right > 100


def test_a_mask_from_a_file_is_shown_and_can_be_painted_further(chrome):
    half = Image.new("L", (80, 60))
    half.paste(255, (0, 0, 40, 60))
    file = {"name": "half.png", "mimeType": "image/png", "buffer": encoded(half, "PNG")}
    with shown(chrome, field_page(), photo=png(SIZE, "#000000")) as page:
        page.set_input_files("#id_mask", file)
        expect(page.locator("[data-mask-preview]")).to_be_visible()
        assert red_at_both_sides(page) == (True, False)
        open_editor(page)
        set_size(page, 40)
        drag(page, (600, 100), (700, 100))
        mask = grey(use(page))
    assert mask.size == SIZE
    assert mask.crop((0, 0, 390, 600)).getextrema() == (255, 255)
    assert mask.crop((410, 150, 800, 600)).getextrema() == (0, 0)
    assert mask.crop((600, 90, 700, 110)).getextrema() == (255, 255)


def test_the_preview_is_hidden_until_it_is_drawn_and_shows_the_mask_chosen_last(chrome):
    left, right = Image.new("L", (80, 60)), Image.new("L", (80, 60))
    left.paste(255, (0, 0, 40, 60))
    right.paste(255, (40, 0, 80, 60))
    with shown(chrome, field_page(), photo=png(SIZE, "#000000")) as page:
        preview = page.locator("[data-mask-preview]")
        page.evaluate(
            """() => { const make = createImageBitmap;
            window.createImageBitmap = async (file) => {
              if (file.size === window.slow) await new Promise((go) => { window.go = go; });
              return make(file); }; }"""
        )
        slow, quick = encoded(left, "PNG"), encoded(right, "PNG") + bytes(99)
        page.evaluate("size => { window.slow = size; }", len(slow))
        page.set_input_files("#id_mask", {"name": "left.png", "mimeType": "image/png", "buffer": slow})
        expect(page.get_by_role("button", name="Edit the mask")).to_be_visible()
        until(page, "Boolean(window.go)")
        expect(preview).to_be_hidden()
        page.set_input_files("#id_mask", {"name": "right.png", "mimeType": "image/png", "buffer": quick})
        expect(preview).to_be_visible()
        page.evaluate("go()")
        page.wait_for_timeout(200)
        assert red_at_both_sides(page) == (False, True)


def test_what_is_no_picture_is_said(chrome):
    file = {"name": "photo.png", "mimeType": "image/png", "buffer": b"no picture"}
    with shown(chrome, field_page(picture="")) as page:
        page.set_input_files("#image", file)
        page.click("[data-edit-mask]")
        expect(page.locator(".toast")).to_contain_text("cannot be opened here")
        expect(page.locator(".mask-editor")).to_be_hidden()


# Speed

FRAMES = """() => { // how long each frame takes, from now on
 window.frames = []; let last = performance.now();
const next = (now) => { window.frames.push(now - last); last = now; requestAnimationFrame(next); };
requestAnimationFrame(next); }"""


def frame_times(page: Page) -> dict[str, float]:
    """Milliseconds that a frame has taken since the last time."""
    frames = sorted(page.evaluate("() => window.frames.splice(0).slice(2)"))
    share = {"median": 0.5, "p95": 0.95, "most": 1}
    return {
        name: round(frames[min(len(frames) - 1, int(len(frames) * each))], 1) for name, each in share.items()
    }


def test_painting_on_nine_megapixels_is_fluid(chrome):
    photo = encoded(Image.effect_noise((3552, 2664), 60).convert("RGB"), "JPEG", quality=60)
    with editor(chrome, photo) as page:
        box = page.locator(".mask-picture").bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.evaluate(FRAMES)
        page.mouse.down()
        for step in range(160):
            page.mouse.move(box["x"] + 20 + 3 * step, box["y"] + 40 + 200 * (step % 16) / 16)
        page.mouse.up()
        painting = frame_times(page)
        page.wait_for_timeout(2_000)
        storing = frame_times(page)  # the draft
        mask = use(page)
    assert mask.size == (3552, 2664)
    assert painting["p95"] < 100  # 17 on an idle machine; others may run beside this test
    assert storing["p95"] < 100
