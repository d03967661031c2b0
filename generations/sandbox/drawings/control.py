"""Pictures that follow the lines, the structure or the colours of another."""

from __future__ import annotations

from itertools import accumulate

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from generations.sandbox.drawings.generate import fit, scene
from generations.sandbox.image_decoding import decode
from generations.sandbox.image_request import ImageRequest
from generations.sandbox.sizes import ONE_MEGAPIXEL

INK = (24, 20, 28)


def sketch(request: ImageRequest) -> Image.Image:
    """Draw the prompt with the lines of the image on it."""
    image = decode(request.files["image"])
    strength = request.values["control_strength"]
    lines = edges(image).point(lambda value: round(value * strength))
    drawn = scene(request, request.values["prompt"], image.size)
    return Image.composite(Image.new("RGB", image.size, INK), drawn, lines)


def structure(request: ImageRequest) -> Image.Image:
    """Draw the prompt in its colours, as light and dark as the image is."""
    image = decode(request.files["image"])
    drawn = scene(request, request.values["prompt"], image.size).convert("YCbCr").split()
    light = Image.blend(drawn[0], image.convert("L"), request.values["control_strength"])
    return Image.merge("YCbCr", (light, *drawn[1:])).convert("RGB")


def style(request: ImageRequest) -> Image.Image:
    """Draw the prompt, with one megapixel, in the colours of the image."""
    drawn = scene(request, request.values["prompt"], ONE_MEGAPIXEL[request.values["aspect_ratio"]])
    coloured = with_colours_of(drawn, decode(request.files["image"]))
    return Image.blend(drawn, coloured, request.values["fidelity"])


def style_transfer(request: ImageRequest) -> Image.Image:
    """Give the first image the colours of the second, and the less faithful the more of its shapes."""
    image, values = decode(request.files["init_image"]), request.values
    model = decode(request.files["style_image"])
    composed = Image.blend(fit(model, image.size), image, values["composition_fidelity"])
    coloured = with_colours_of(composed, model)
    return Image.blend(image, coloured, values["style_strength"] * values["change_strength"])


def edges(image: Image.Image) -> Image.Image:
    """Return the edges of an image, white on black."""
    found = image.convert("L").filter(ImageFilter.FIND_EDGES)
    ImageDraw.Draw(found).rectangle((0, 0, found.width - 1, found.height - 1), outline=0)  # not filtered
    return ImageOps.autocontrast(found.filter(ImageFilter.MaxFilter(3)))


def with_colours_of(image: Image.Image, model: Image.Image) -> Image.Image:
    """Change each channel so that its histogram is that of the model's."""
    tables = map(
        _matching, (band.histogram() for band in image.split()), (b.histogram() for b in model.split())
    )
    return image.point([value for table in tables for value in table])


def _matching(have: list[int], want: list[int]) -> list[int]:
    """Return for each value 0..255 the one that as large a share of the model is below."""
    below, wanted = list(accumulate(have)), list(accumulate(want))
    table, value = [], 0
    for count in below:
        while value < 255 and wanted[value] * below[-1] < count * wanted[-1]:
            value += 1
        table.append(value)
    return table
