"""Create in Chromium with a model that no script knows: fields of each kind, pictures in two roles."""

from __future__ import annotations

import pytest
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from generations.jobs.models import Batch
from generations.providers.catalogue.model import Model
from tests.conftest import work
from tests.jobs.create import any_model
from tests.jobs.create.any_model import FIELDS, VALUES
from tests.journeys.browsers import in_every_window
from tests.pages.editors import add_file, encoded, inaccessible, png

pytestmark = pytest.mark.django_db(transaction=True)  # the server has its own connection


@pytest.fixture
def atelier(monkeypatch: pytest.MonkeyPatch) -> Model:
    return any_model.add(monkeypatch, any_model.ATELIER)


def fill_in(page: Page) -> None:
    """Fill in every field, as a person would."""
    page.locator(".more-toggle").click()
    for field in FIELDS:
        value = VALUES[field.name]
        if field.name == "finish":
            page.locator("[name=finish][value=gloss]").check(force=True)
        elif field.name == "paper":
            page.select_option("[name=paper]", value)
        elif field.name == "signed":
            page.check("[name=signed]")
        else:
            page.fill(f"[name={field.name}]", str(value))


def test_a_person_fills_in_every_field_and_generates(opened, atelier):
    page = opened()
    page.fill("#id_prompt", "a heron")
    page.locator("[data-more-operations] summary").click()
    page.locator("#id_operation_blend").check(force=True)
    expect(page.locator("[name=caption]")).to_be_visible()
    expect(page.locator("#id_prompt")).to_have_value("a heron")
    expect(page.locator("#id_prompt")).to_have_attribute("placeholder", "What is printed.")
    expect(page.locator("[name=aspect_ratio][type=radio]")).to_have_count(0)
    expect(page.locator("#generate")).to_contain_text("1.5 credits")
    add_file(page, "image", png((256, 256)))
    add_file(page, "reference", png((300, 300)), png((400, 300)))
    fill_in(page)
    expect(page.locator("[data-summary]")).to_have_text("Copies 4, Plate 123456, Signed")
    page.click("#generate")
    expect(page.locator(".batch[id]")).to_have_count(1)
    batch = Batch.objects.get()
    assert batch.parameters == VALUES
    assert [(each.role, each.upload.width) for each in batch.inputs.all()] == [
        ("image", 256),
        ("reference", 300),
        ("reference", 400),
    ]
    expect(page.locator(".batch .batch-inputs img")).to_have_count(3)
    expect(page.locator(".batch .batch-inputs-more")).to_have_text("+2")  # its one column has room for one
    assert page.locator(".batch .batch-text").evaluate("text => text.clientWidth") > 90
    expect(page.locator("[data-input=reference] [data-item]")).to_have_count(2)  # for the next one


def test_a_slider_and_its_number_say_the_same(opened, atelier):
    page = opened("?operation=blend")
    slider, number = page.locator("[data-slider=grain]"), page.locator("[name=grain]")
    assert (slider.input_value(), number.input_value()) == ("2", "")
    number.fill("7.5")
    assert slider.input_value() == "7.5"
    slider.fill("3")
    assert number.input_value() == "3"
    number.fill("")
    assert slider.input_value() == "2"


def test_colors_are_written_or_picked_and_each_has_a_chip_that_takes_it_out(opened, atelier):
    page = opened("?operation=blend")
    field, chips = page.locator("[name=inks]"), page.locator("[data-colors-of=inks] .color-chip")
    field.fill("#102030, ff8e3c no-color")
    expect(chips).to_have_count(2)
    expect(chips.first).to_have_css("background-color", "rgb(16, 32, 48)")
    chips.first.click()
    expect(field).to_have_value("ff8e3c no-color")
    field.fill("")
    picker = page.locator("[data-add-color=inks]")
    for color in ("#000000", "#111111", "#222222", "#333333"):
        picker.fill(color)
    expect(field).to_have_value("#000000 #111111 #333333")
    page.reload()
    expect(chips).to_have_count(3)


def test_pictures_are_ordered_and_removed_and_survive_a_reload_with_every_field(opened, atelier):
    page = opened("?operation=blend")
    add_file(page, "image", png((256, 256)))
    add_file(page, "reference", png((300, 300)), png((310, 300)), png((320, 300)))
    widths = page.locator("[data-input=reference] .input-about .numbers")
    expect(page.locator("#id_file_reference")).to_have_count(0)  # there is no room
    page.locator("[data-input=reference] [data-move-item]").last.click()
    expect(widths).to_have_text(["300 × 300", "320 × 300", "310 × 300"])
    page.locator("[data-input=reference] [data-remove-item]").first.click()
    expect(widths).to_have_text(["320 × 300", "310 × 300"])
    fill_in(page)
    page.reload()
    expect(widths).to_have_text(["320 × 300", "310 × 300"])
    for field in FIELDS:
        value = VALUES[field.name]
        if field.name == "finish":
            expect(page.locator("[name=finish]:checked")).to_have_value("gloss")
        elif field.name == "signed":
            expect(page.locator("[name=signed]")).to_be_checked()
        else:
            expect(page.locator(f"[name={field.name}]")).to_have_value(str(value))


def test_switching_the_model_keeps_what_was_filled_in_on_the_way_there_and_back(opened, atelier):
    page = opened("?operation=blend")
    add_file(page, "image", png((256, 256)))
    fill_in(page)
    page.locator("#id_operation_upscale").check(force=True)
    expect(page.locator("[name=caption]")).to_have_attribute("type", "hidden")
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)
    page.locator("#id_operation_generate").check(force=True)
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)  # with a model that takes one
    page.locator("[name=model][value=core]").check(force=True)
    expect(page.locator("[data-input=image]")).to_have_count(0)
    page.locator("[data-more-operations] summary").click()
    page.locator("#id_operation_blend").check(force=True)
    expect(page.locator("[name=caption]")).to_have_value("Heron, third state")
    expect(page.locator("[name=paper]")).to_have_value("rice")
    expect(page.locator("[data-input=image] [data-item]")).to_have_count(1)


def test_what_is_wrong_with_a_file_is_said_under_its_field_before_sending(opened, atelier):
    page = opened("?operation=blend")
    field = page.locator("[data-input=image]")
    page.set_input_files(
        "#id_file_image", {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    expect(field.locator("[data-input-error]")).to_contain_text("picture")
    add_file(page, "image", png((1_000, 100)))
    expect(field.locator(".input-item .error")).to_contain_text("too long (1000 x 100)")
    field.locator("[data-remove-item]").click()
    add_file(page, "image", png((2_048, 2_048)))
    expect(field).to_contain_text("Will be made smaller, to 1024 × 1024.")
    assert not Batch.objects.exists()


def test_a_file_is_dropped_and_pasted_into_the_field_that_has_room(opened, atelier):
    page = opened("?operation=blend")
    give = """async ([kind, selector, size]) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size });
        const transfer = new DataTransfer();
        const blob = await new Promise((done) => canvas.toBlob(done));
        transfer.items.add(new File([blob], 'a.png', { type: 'image/png' }));
        const init = { bubbles: true, cancelable: true };
        const event = kind === 'paste'
            ? new ClipboardEvent('paste', { ...init, clipboardData: transfer })
            : new DragEvent('drop', { ...init, dataTransfer: transfer });
        document.querySelector(selector).dispatchEvent(event);
    }"""
    page.evaluate(give, ["paste", "#id_prompt", 200])
    expect(page.locator("[data-input=image] .numbers")).to_have_text("200 × 200")
    page.evaluate(give, ["drop", "[data-input=reference]", 300])
    expect(page.locator("[data-input=reference] .numbers")).to_have_text("300 × 300")
    page.evaluate(give, ["drop", "[data-input=image]", 400])  # replaces the one that is there
    expect(page.locator("[data-input=image] .numbers")).to_have_text("400 × 400")


def test_generate_waits_for_a_file_and_for_the_fields_of_the_model(opened, atelier):
    page = opened("?operation=upscale")
    page.set_input_files(
        "#id_file_image", {"name": "a.png", "mimeType": "image/png", "buffer": png((300, 300))}
    )
    page.click("#generate")
    expect(page.locator(".batch[id]")).to_have_count(1)
    assert Batch.objects.get().inputs.get().upload.width == 300


def test_what_was_typed_while_other_fields_came_stays(opened, atelier):
    page = opened()
    page.locator(".more-toggle").click()
    page.route("**/create/", lambda route: page.wait_for_timeout(400) or route.continue_())
    page.locator("[name=model][value=ultra]").check(force=True)
    page.fill("[name=seed]", "77")
    page.locator("[name=aspect_ratio][value='16:9']").check(force=True)
    page.locator("[name=style_preset][value=anime]").check(force=True)
    page.fill("#id_prompt", "typed meanwhile")
    expect(page.locator("[data-input=image]")).to_be_visible()
    expect(page.locator("[name=seed]")).to_have_value("77")
    expect(page.locator("[name=aspect_ratio][value='16:9']")).to_be_checked()
    expect(page.locator("[name=style_preset][value=anime]")).to_be_checked()
    expect(page.locator("#id_prompt")).to_have_value("typed meanwhile")


def test_the_keyboard_chooses_operations_models_and_pictures(opened, atelier):
    page = opened()
    page.locator("#id_operation_generate").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#choices")).to_have_attribute("data-operation", "edit")
    expect(page.locator("#id_operation_edit")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#choices")).to_have_attribute("data-operation", "generate")
    expect(page.locator("#id_operation_generate")).to_be_focused()
    expect(page.locator("#id_model_core")).to_be_checked()
    page.locator("#id_model_core").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[name=shown_model]")).to_have_value("ultra")
    expect(page.locator("#id_model_ultra")).to_be_focused()


def test_expand_is_dragged_or_typed_and_sent(opened):
    page = opened("?operation=outpaint")
    add_file(page, "image", png((512, 512)))
    expect(page.locator("[data-expand-size]")).to_have_text("512 × 512")
    page.locator("[role=slider].expand-right").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[name=right]")).to_have_value("64")
    page.fill("[name=up]", "100")
    expect(page.locator("[data-expand-size]")).to_have_text("512 × 512 → 576 × 612")
    page.click("#generate")
    expect(page.locator(".batch[id]")).to_have_count(1)
    parameters = Batch.objects.get().parameters
    assert {name: parameters[name] for name in ("right", "up")} == {"right": 64, "up": 100}


def test_a_mask_is_drawn_over_the_picture_and_sent(opened):
    page = opened("?operation=edit")
    expect(page.locator("[data-draw-mask]")).to_have_count(0)
    add_file(page, "image", encoded(Pillow.new("RGB", (400, 300), "#7a8fa6"), "JPEG"))
    page.locator("[data-draw-mask]").click()
    expect(page.locator("#mask-editor")).to_be_visible()
    expect(page.locator("#mask-editor")).not_to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Paint everything").click()
    page.get_by_role("button", name="Use mask").click()
    expect(page.locator("[data-input=mask] .numbers")).to_have_text("400 × 300")
    page.fill("#id_prompt", "a boat")
    page.click("#generate")
    expect(page.locator(".batch .batch-inputs img")).to_have_count(2)
    assert {each.role: each.upload.size for each in Batch.objects.get().inputs.all()} == {
        "image": (400, 300),
        "mask": (400, 300),
    }


@in_every_window
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(opened, atelier, phone, dark):
    for query in ("", "?operation=blend", "?operation=edit", "?operation=outpaint", "?operation=relight"):
        page = opened(query, phone=phone, color_scheme="dark" if dark else "light")
        if "operation" in query:
            add_file(page, "image", png((256, 200)))
        if not phone:
            page.locator(".more-toggle").click()
        assert not (found := inaccessible(page)), f"{query}: {found}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), query
    if phone:
        page.get_by_role("button", name="More").and_(page.locator(".chip")).click()
        assert inaccessible(page) == ""


def test_a_picture_is_picked_from_the_library(opened, member, submit, upstream):
    submit(prompt="a lighthouse in the fog")
    submit(prompt="a heron")
    work()
    page = opened("?operation=upscale")
    page.get_by_role("button", name="From the library").click()
    dialog = page.locator("dialog.picker")
    expect(dialog.locator("[data-pick-image]")).to_have_count(2)
    assert inaccessible(page) == ""
    page.keyboard.type("lighthouse")
    expect(dialog.locator("[data-pick-image]")).to_have_count(1)
    dialog.locator("[data-pick-image]").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-input=image] .input-name")).to_have_text("a lighthouse in the fog")
    page.click("#generate")
    expect(page.locator(".batch[id]")).to_have_count(3)
    assert Batch.objects.order_by("-pk")[0].parent
