"""Each service does to the picture what it says: seen in the pixels."""

import math
import time

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from tests.sandbox.conftest import Client, encoded, opened
from tests.sandbox.stability.pictures import (
    IMAGE,
    LATER,
    LEAST,
    SIZE,
    THING,
    THING_BOX,
    WALL,
    mask,
    noise,
    scene,
)

WIDTH, HEIGHT = SIZE
SEEDLESS = ("edit/remove-background", "upscale/fast", "upscale/conservative", "control/style-transfer")
MARKED = (30, 20, 49, 39)  # 20 pixels each way; both ends belong to it


@pytest.fixture(scope="module")
def source() -> Image.Image:
    return noise()


def edited(client: Client, path: str, files: dict[str, bytes] | None = None, **fields) -> Image.Image:
    """Return the picture that a service makes of the least it takes, and these; it must succeed."""
    least_files, texts = LEAST[path]
    answer = client.post(path, {**least_files, **(files or {})}, **{**texts, "seed": 7, **fields})
    assert answer.status_code == 200, answer.text
    return opened(answer.content)


def changed_box(first: Image.Image, second: Image.Image) -> tuple[int, int, int, int] | None:
    """Return the smallest box outside of which two pictures are equal; both ends belong to it."""
    box = ImageChops.difference(first.convert("RGB"), second.convert("RGB")).getbbox()
    return box and (box[0], box[1], box[2] - 1, box[3] - 1)


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return the mean difference, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean) / 3


def mean(image: Image.Image, box: tuple[int, int, int, int] | None = None) -> list[float]:
    """Return the mean colour of a picture or a part of it."""
    return ImageStat.Stat(image.convert("RGB").crop(box)).mean


@pytest.mark.parametrize("path", ["edit/erase", "edit/inpaint"])
def test_only_what_the_mask_marks_changes(artist: Client, source: Image.Image, path: str) -> None:
    files = {"image": encoded(source), "mask": mask(MARKED)}
    exact = edited(artist, path, files, grow_mask=0)
    assert changed_box(source, exact) == MARKED
    grown = edited(artist, path, files, grow_mask=8)
    left, top, right, bottom = changed_box(source, grown)
    assert (MARKED[0] - left, MARKED[1] - top, right - MARKED[2], bottom - MARKED[3]) <= (8, 8, 8, 8)
    assert min(MARKED[0] - left, MARKED[1] - top, right - MARKED[2], bottom - MARKED[3]) >= 5


def test_a_grown_edge_fades(artist: Client) -> None:
    white, marked = Image.new("RGB", SIZE, "white"), (40, 0, WIDTH - 1, HEIGHT - 1)
    files = {"image": encoded(white), "mask": mask(marked)}
    row = [
        edited(artist, "edit/inpaint", files, prompt="night", grow_mask=10).getpixel((x, 60))[0]
        for x in (29, 32, 35, 38)
    ]
    assert row[0] == 255
    assert row[3] < 100 < row[2] < 170 < row[1] < 240  # night is below 40


@pytest.mark.parametrize("path", ["edit/erase", "edit/inpaint"])
def test_without_a_mask_what_is_transparent_changes(artist: Client, source: Image.Image, path: str) -> None:
    alpha = ImageChops.invert(opened(mask(MARKED)))
    image = source.copy()
    image.putalpha(alpha)
    assert changed_box(source, edited(artist, path, {"image": encoded(image)}, grow_mask=0)) == MARKED
    opaque = edited(artist, path, {"image": encoded(source)})
    assert changed_box(source, opaque) is None


def test_a_mask_of_another_size_is_resized(artist: Client, source: Image.Image) -> None:
    double = mask((60, 40, 99, 79), (WIDTH * 2, HEIGHT * 2))
    files = {"image": encoded(source), "mask": double}
    changed = changed_box(source, edited(artist, "edit/erase", files, grow_mask=0))
    assert all(abs(edge - marked) <= 1 for edge, marked in zip(changed, MARKED, strict=True))


def test_what_is_erased_is_filled_with_its_surroundings(artist: Client) -> None:
    files = {"image": encoded(scene()), "mask": mask()}
    erased = edited(artist, "edit/erase", files, grow_mask=2)
    assert mean(erased, (40, 24, 56, 40)) == pytest.approx(WALL, abs=8)


def test_what_is_inpainted_is_of_the_prompt(artist: Client, source: Image.Image) -> None:
    files = {"image": encoded(source), "mask": mask(MARKED)}
    night, snow = (
        edited(artist, "edit/inpaint", files, prompt=text, grow_mask=0)
        for text in ("night sea", "snow ridge")
    )
    assert difference(night.crop((30, 20, 50, 40)), snow.crop((30, 20, 50, 40))) > 15


def test_an_outpainted_image_has_the_original_in_its_place(artist: Client, source: Image.Image) -> None:
    sides = {"left": 10, "right": 30, "up": 5, "down": 20}
    wide = edited(artist, "edit/outpaint", {"image": encoded(source)}, **sides)
    assert wide.size == (WIDTH + 40, HEIGHT + 25)
    assert changed_box(source, wide.crop((10, 5, 10 + WIDTH, 5 + HEIGHT))) is None
    assert min(ImageStat.Stat(wide.crop((106, 0, 136, 89))).stddev) > 1


def test_a_creative_outpaint_has_more_of_its_prompt(artist: Client) -> None:
    files = {"image": encoded(Image.new("RGB", SIZE, WALL))}
    tame, wild = (
        edited(artist, "edit/outpaint", files, right=60, creativity=creativity, prompt="night sea")
        for creativity in (0, 1)
    )
    strip = (WIDTH + 30, 0, WIDTH + 60, HEIGHT)
    assert mean(tame, strip) == pytest.approx(WALL, abs=3)
    assert max(mean(wild, strip)) < 140


def test_replacing_changes_the_subject_alone(artist: Client) -> None:
    replaced = edited(artist, "edit/search-and-replace", grow_mask=0)
    left, top, right, bottom = changed_box(scene(), replaced)
    assert (left, top, right, bottom) == THING_BOX
    assert difference(replaced.crop((40, 24, 56, 40)), scene().crop((40, 24, 56, 40))) > 20


def test_recolouring_takes_the_colour_that_is_named(artist: Client) -> None:
    for colour, channel in (("green", 1), ("a blue square", 2)):
        recoloured = edited(artist, "edit/search-and-recolor", prompt=colour, grow_mask=0)
        assert changed_box(scene(), recoloured) == THING_BOX
        tint = mean(recoloured, (40, 24, 56, 40))
        assert tint[channel] > 2 * max(value for index, value in enumerate(tint) if index != channel)


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_without_its_background_a_subject_is_all_that_is_opaque(artist: Client, output_format: str) -> None:
    cut = edited(artist, "edit/remove-background", output_format=output_format)
    assert cut.mode == "RGBA"
    inside = (40, 24, 56, 40)
    assert cut.getchannel("A").crop(inside).getextrema() == (255, 255)
    assert cut.getpixel((2, 2))[3] == cut.getpixel((90, 60))[3] == 0
    assert mean(cut, inside) == pytest.approx(THING, abs=3)


def test_an_image_without_a_subject_keeps_its_middle(artist: Client) -> None:
    cut = edited(artist, "edit/remove-background", {"image": encoded(Image.new("RGB", SIZE, WALL))})
    assert (cut.getpixel((48, 32))[3], cut.getpixel((1, 1))[3]) == (255, 0)


def relit(client: Client, **fields) -> Image.Image:
    """Return the picture of a finished task."""
    files = {name: fields.pop(name) for name in ("background_reference", "light_reference") if name in fields}
    path = "edit/replace-background-and-relight"
    least_files, texts = LEAST[path]
    task = client.post(path, {**least_files, **files}, **{**texts, "seed": 7, **fields}).json()["id"]
    return finished(client, task)


def finished(client: Client, task: str) -> Image.Image:
    """Return the picture of a task that ends soon."""
    deadline = time.monotonic() + 20
    while (answer := client.result(task)).status_code == 202 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer.status_code == 200
    return opened(answer.content)


def test_a_subject_gets_another_background(artist: Client) -> None:
    kept = relit(artist, preserve_original_subject=1)
    inside = (40, 24, 56, 40)
    assert mean(kept, inside) == pytest.approx(THING, abs=1)
    assert difference(kept.crop((0, 0, 30, 64)), scene().crop((0, 0, 30, 64))) > 20
    loose = relit(artist, preserve_original_subject=0)
    assert mean(loose, inside) != pytest.approx(THING, abs=3)
    reference = relit(
        artist, background_reference=encoded(Image.new("RGB", SIZE, "blue")), original_background_depth=0
    )
    assert mean(reference, (0, 0, 30, 64)) == pytest.approx([0, 0, 255], abs=1)
    original = relit(artist, keep_original_background="true", preserve_original_subject=1)
    assert changed_box(scene(), original) is None


@pytest.mark.parametrize(
    ("direction", "bright", "dark"),
    [
        ("left", (0, 0, 20, 64), (76, 0, 96, 64)),
        ("right", (76, 0, 96, 64), (0, 0, 20, 64)),
        ("above", (0, 0, 96, 15), (0, 49, 96, 64)),
        ("below", (0, 49, 96, 64), (0, 0, 96, 15)),
    ],
)
def test_light_comes_from_where_it_was_asked(
    artist: Client, direction: str, bright: tuple, dark: tuple
) -> None:
    light = {"light_source_direction": direction, "keep_original_background": "true"}
    weak, strong = (relit(artist, light_source_strength=strength, **light) for strength in (0.2, 0.9))
    contrasts = [sum(mean(image, bright)) - sum(mean(image, dark)) for image in (weak, strong)]
    assert 10 < contrasts[0] < contrasts[1]


def test_a_reference_is_a_light_too(artist: Client) -> None:
    half = Image.new("L", SIZE)
    ImageDraw.Draw(half).rectangle((48, 0, 96, 64), fill=255)
    lit = relit(
        artist, light_reference=encoded(half), keep_original_background="true", light_source_strength=1
    )
    assert mean(lit, (80, 0, 96, 64))[0] > mean(lit, (0, 0, 16, 64))[0] + 50


def test_a_fast_upscale_is_four_times_as_wide(artist: Client) -> None:
    large = edited(artist, "upscale/fast")
    assert large.size == (WIDTH * 4, HEIGHT * 4)
    assert difference(large.resize(SIZE, Image.Resampling.BOX), scene()) < 1


@pytest.mark.parametrize("size", [(96, 64), (64, 128)])
def test_other_upscales_have_four_megapixels_and_keep_the_ratio(
    artist: Client, size: tuple[int, int]
) -> None:
    image = noise(size)
    files = {"image": encoded(image)}
    order = artist.post("upscale/creative", files, prompt="boat", seed=3, output_format="jpeg")
    for large in (
        edited(artist, "upscale/conservative", files, output_format="jpeg"),
        finished(artist, order.json()["id"]),
    ):
        assert 4_180_000 < large.width * large.height <= 4_194_304
        assert large.width / large.height == pytest.approx(size[0] / size[1], rel=0.001)
        assert difference(large.resize(size, Image.Resampling.BOX), image) < 25


def test_lines_of_a_sketch_are_drawn(artist: Client) -> None:
    faint, clear = (edited(artist, "control/sketch", control_strength=strength) for strength in (0, 1))
    left, top, right, bottom = changed_box(faint, clear)
    grown = (THING_BOX[0] - 3, THING_BOX[1] - 3, THING_BOX[2] + 3, THING_BOX[3] + 3)
    assert (left, top) >= grown[:2]
    assert right <= grown[2]
    assert bottom <= grown[3]
    assert max(mean(clear, (36, 22, 37, 42))) < 60
    assert changed_box(faint.crop((42, 26, 54, 38)), clear.crop((42, 26, 54, 38))) is None


def test_a_structure_is_followed(artist: Client) -> None:
    loose, close = (edited(artist, "control/structure", control_strength=strength) for strength in (0, 1))
    light = scene().convert("L")
    assert difference(close.convert("L"), light) < 12
    assert difference(loose.convert("L"), light) > 25
    assert close.size == SIZE


def test_a_style_gives_its_colours(artist: Client) -> None:
    red = Image.merge(
        "RGB", (Image.linear_gradient("L"), Image.new("L", (256, 256)), Image.new("L", (256, 256)))
    )
    styled = edited(artist, "control/style", {"image": encoded(red)}, fidelity=1, aspect_ratio="9:16")
    assert styled.size == (768, 1344)
    assert mean(styled) == pytest.approx(mean(red), abs=4)
    free = edited(artist, "control/style", {"image": encoded(red)}, fidelity=0, aspect_ratio="9:16")
    assert mean(free)[2] > 30


def test_a_transferred_style_keeps_the_composition(artist: Client) -> None:
    blue = encoded(Image.merge("RGB", (*[Image.new("L", (256, 256))] * 2, Image.linear_gradient("L"))))
    whole = {"composition_fidelity": 1, "style_strength": 1, "change_strength": 1}
    moved = edited(artist, "control/style-transfer", {"style_image": blue}, **whole)
    red, green, dark = mean(moved, (40, 24, 56, 40))
    assert max(red, green) < 2
    assert dark < mean(moved, (0, 0, 30, 64))[2]  # the square is darker than the wall, as it was
    same = edited(artist, "control/style-transfer", {"style_image": blue}, style_strength=0)
    assert changed_box(scene(), same) is None


@pytest.mark.parametrize("path", LEAST)
def test_the_same_call_gives_the_same_bytes_and_another_seed_others(artist: Client, path: str) -> None:
    files, texts = LEAST[path]
    if path in ("edit/erase", "edit/inpaint"):
        files = {**IMAGE, "mask": mask()}
    if path == "edit/search-and-recolor":
        texts = {**texts, "prompt": "another colour"}

    def made(seed: int) -> bytes:
        answer = artist.post(path, files, **texts, seed=seed)
        return finished(artist, answer.json()["id"]).tobytes() if path in LATER else answer.content

    first = made(7)
    assert first == made(7)
    assert (made(8) == first) == (path in SEEDLESS)


def test_a_filtered_result_is_blurred(artist: Client) -> None:
    artist.sandbox.plan("filtered")
    files, texts = LEAST["edit/remove-background"]
    answer = artist.post("edit/remove-background", files, **texts)
    assert answer.headers["finish-reason"] == "CONTENT_FILTERED"
    assert opened(answer.content).getchannel("A").getpixel((THING_BOX[0], 32)) < 255


def test_megapixels_of_a_strange_shape_are_drawn(artist: Client) -> None:
    long = {"image": encoded(Image.new("RGB", (64, 9_000), WALL))}
    drawn = edited(artist, "edit/inpaint", {**long, "mask": encoded(Image.new("L", (64, 9_000), 255))})
    assert drawn.size == (64, 9_000)
    assert math.isclose(mean(edited(artist, "edit/erase", long))[0], WALL[0], abs_tol=1)
