"""Edits of a part of an image, or of what surrounds it."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping
from itertools import product

from PIL import Image, ImageChops, ImageColor, ImageFilter, ImageOps

from generations.sandbox.drawings.generate import fit, scene
from generations.sandbox.drawings.masks import change_mask, fill, grown, subject
from generations.sandbox.image_decoding import decode
from generations.sandbox.image_request import ImageRequest

GRAIN_SIDE, GRAIN = 256, 12  # differences of 0..12
LIGHT_STRENGTH = 0.3  # where there is a light and no strength is given
SEAM = 12  # pixels around the original over which an extended image turns into something new


def erase(request: ImageRequest) -> Image.Image:
    """Fill what the mask marks with its surroundings."""
    image = decode(request.files["image"])
    mask = change_mask(request, image.size)
    known = image.convert("RGBA")
    known.putalpha(mask.point(lambda value: 0 if value else 255))
    return Image.composite(_grained(fill(known).convert("RGB"), request.seed), image, mask)


def inpaint(request: ImageRequest) -> Image.Image:
    """Draw the prompt where the mask is."""
    image = decode(request.files["image"])
    return _draw_within(request, image, change_mask(request, image.size))


def outpaint(request: ImageRequest) -> Image.Image:
    """Extend the image to the sides; the more creative, the more of the prompt is in what is new."""
    image, values = decode(request.files["image"]), request.values
    size = outpainted_size(image.size, values)
    box = (values["left"], values["up"], values["left"] + image.width, values["up"] + image.height)
    known = Image.new("RGBA", size)
    known.paste(image, box)
    surroundings = fill(known).convert("RGB")
    new = Image.new("L", size, round(255 * values["creativity"]))
    new.paste(0, box)
    result = Image.composite(
        scene(request, values["prompt"], size), surroundings, new.filter(ImageFilter.BoxBlur(SEAM))
    )
    result.paste(image, box)
    return result


def outpainted_size(size: tuple[int, int], values: Mapping[str, int]) -> tuple[int, int]:
    """Return the size of an image that is extended."""
    return size[0] + values["left"] + values["right"], size[1] + values["up"] + values["down"]


def search_and_replace(request: ImageRequest) -> Image.Image:
    """Draw the prompt in place of the subject."""
    image = decode(request.files["image"])
    return _draw_within(request, image, grown(subject(image), request.values["grow_mask"]))


def search_and_recolor(request: ImageRequest) -> Image.Image:
    """Tint the subject with the colour that the prompt names, or with any."""
    image = decode(request.files["image"])
    tinted = ImageOps.colorize(
        image.convert("L"), "black", "white", mid=_colour(request.values["prompt"], request.seed)
    )
    return Image.composite(tinted, image, grown(subject(image), request.values["grow_mask"]))


def remove_background(request: ImageRequest) -> Image.Image:
    """Make everything but the subject transparent."""
    image = decode(request.files["image"], "RGBA")
    image.putalpha(ImageChops.darker(image.getchannel("A"), subject(image.convert("RGB"))))
    return image


def replace_background(request: ImageRequest) -> Image.Image:
    """Put the subject before another background, in the light that was asked for."""
    image, values = decode(request.files["subject_image"]), request.values
    mask = subject(image)
    keeps = values["keep_original_background"] == "true"
    background = image if keeps else _new_background(request, image)
    # A subject that is not preserved takes on the colours of what is behind it.
    surrounded = ImageChops.soft_light(image, background.filter(ImageFilter.BoxBlur(32)))
    placed = Image.blend(surrounded, image, values["preserve_original_subject"])
    return _lit(request, Image.composite(placed, background, mask))


def _new_background(request: ImageRequest, image: Image.Image) -> Image.Image:
    if "background_reference" in request.files:
        background = fit(decode(request.files["background_reference"]), image.size)
    else:
        background = scene(request, request.values["background_prompt"], image.size)
    depth = ImageOps.autocontrast(image.convert("L").filter(ImageFilter.BoxBlur(16)), cutoff=2)
    deep = ImageChops.soft_light(background, depth.convert("RGB"))
    return Image.blend(background, deep, request.values["original_background_depth"])


def _lit(request: ImageRequest, image: Image.Image) -> Image.Image:
    """Brighten where the light comes from, or the reference is bright, and darken the rest."""
    direction = request.values["light_source_direction"]
    if "light_reference" in request.files:
        light = fit(decode(request.files["light_reference"], "L"), image.size).filter(ImageFilter.BoxBlur(32))
    elif direction:
        down = ImageOps.flip(Image.linear_gradient("L"))  # bright above
        turned = {"above": 0, "left": 90, "below": 180, "right": 270}[direction]
        light = down.rotate(turned).resize(image.size, Image.Resampling.BILINEAR)
    else:
        return image
    lit = Image.composite(
        image.point(lambda value: min(255, value * 3 // 2)), image.point(lambda value: value // 3), light
    )
    strength = request.values["light_source_strength"]
    return Image.blend(image, lit, LIGHT_STRENGTH if strength is None else strength)


def _draw_within(request: ImageRequest, image: Image.Image, mask: Image.Image) -> Image.Image:
    box = mask.getbbox()
    if box is None:
        return image
    drawn = image.copy()
    drawn.paste(scene(request, request.values["prompt"], (box[2] - box[0], box[3] - box[1])), box)
    return Image.composite(drawn, image, mask)


def _grained(image: Image.Image, seed: int) -> Image.Image:
    """Add a little grain, which the seed decides."""
    rough = random.Random(seed).randbytes(GRAIN_SIDE * GRAIN_SIDE)  # noqa: S311  no secret
    tile = Image.frombytes("L", (GRAIN_SIDE, GRAIN_SIDE), rough).point(lambda value: value * GRAIN // 255)
    grain = Image.new("L", image.size)
    for place in product(range(0, image.width, GRAIN_SIDE), range(0, image.height, GRAIN_SIDE)):
        grain.paste(tile, place)
    return ImageChops.add(image, grain.convert("RGB"), offset=-GRAIN // 2)


def _colour(prompt: str, seed: int) -> tuple[int, ...]:
    for word in re.findall("[a-z]+", prompt.lower()):
        if word in ImageColor.colormap:
            return ImageColor.getrgb(word)
    hue = hashlib.sha256(f"{seed} {prompt}".encode()).digest()[0] * 360 // 256
    return ImageColor.getrgb(f"hsl({hue}, 80%, 50%)")
