"""Which part of an image is changed: masks (`L`, white is changed), and an estimate of the subject."""

from __future__ import annotations

from functools import reduce

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from generations.sandbox.image_decoding import decode
from generations.sandbox.image_request import ImageRequest

ESTIMATED_SIDE = 1_024  # the subject of a larger image is estimated on a smaller copy
BACKGROUND_COLOURS = 6
NEAR, FAR = 20, 45  # differences of 0..255 from the background: none of the subject, all of it


def change_mask(request: ImageRequest, size: tuple[int, int]) -> Image.Image:
    """Return the mask that was sent, or where the image is transparent, grown by `grow_mask` pixels.

    `mask_source` inverts the mask or chooses the alpha, as v1 has it.
    """
    source = request.values.get("mask_source", "MASK_IMAGE_WHITE")
    if "mask" in request.files and source != "INIT_IMAGE_ALPHA":
        mask = decode(request.files["mask"], "L").resize(size, Image.Resampling.BILINEAR)
    else:
        alpha = decode(request.files["image"], "RGBA").getchannel("A")
        mask = ImageChops.invert(alpha).resize(size, Image.Resampling.BILINEAR)
    if source == "MASK_IMAGE_BLACK":
        mask = ImageChops.invert(mask)
    return grown(mask, int(request.values.get("grow_mask") or 0))


def grown(mask: Image.Image, pixels: int) -> Image.Image:
    """Grow a mask by so many pixels, in which it fades to black."""
    if not pixels:
        return mask
    # At a straight edge a box blur is one half, and so many pixels further it is zero.
    edge = mask.filter(ImageFilter.BoxBlur(pixels)).point(lambda value: min(255, value * 2))
    return ImageChops.lighter(mask, edge)


def subject(image: Image.Image) -> Image.Image:
    """Estimate the subject of an RGB image: what differs from the colours along its borders.

    Where that says nothing, since all or nothing differs, it is an ellipse in the middle.
    """
    small = image.copy()
    small.thumbnail((ESTIMATED_SIDE, ESTIMATED_SIDE), Image.Resampling.BOX)
    distances = (_distance(small, colour) for colour in _border_colours(small))
    distance = reduce(ImageChops.darker, distances)
    mask = distance.point(lambda value: (value - NEAR) * 255 // (FAR - NEAR))
    if not 0.01 < ImageStat.Stat(mask).mean[0] / 255 < 0.97:
        mask = _ellipse(small.size)
    return mask.resize(image.size, Image.Resampling.BILINEAR)


def fill(image: Image.Image) -> Image.Image:
    """Fill the transparent parts of an RGBA image with what surrounds them, the wider the smoother."""
    if max(image.size) < 2 or image.getchannel("A").getextrema()[0] == 255:
        image = image.copy()
        image.putalpha(255)
        return image
    halves = (min(2, image.width), min(2, image.height))
    coarse = fill(image.reduce(halves)).resize(image.size, Image.Resampling.BILINEAR)
    return Image.alpha_composite(coarse, image)


def _border_colours(image: Image.Image) -> list[tuple[int, ...]]:
    """Return the usual colours along the four borders."""
    width, height = image.size
    frame = Image.new("RGB", (2 * (width + height), 1))
    frame.paste(image.crop((0, 0, width, 1)), (0, 0))
    frame.paste(image.crop((0, height - 1, width, height)), (width, 0))
    for left, at in ((0, 2 * width), (width - 1, 2 * width + height)):
        frame.paste(image.crop((left, 0, left + 1, height)).transpose(Image.Transpose.ROTATE_90), (at, 0))
    few = frame.quantize(BACKGROUND_COLOURS).convert("RGB")
    counted = few.getcolors() or []
    return [colour for count, colour in counted if isinstance(colour, tuple) and count > frame.width / 20]


def _distance(image: Image.Image, colour: tuple[int, ...]) -> Image.Image:
    """Return the largest difference of the three channels from a colour."""
    away = ImageChops.difference(image, Image.new("RGB", image.size, colour))
    return reduce(ImageChops.lighter, away.split())


def _ellipse(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    box = (size[0] * 0.2, size[1] * 0.2, size[0] * 0.8, size[1] * 0.8)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask
