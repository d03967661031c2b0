"""Grids of four pictures, what becomes of one of them, a face in another picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from PIL import Image, ImageDraw, ImageFilter

from generations.sandbox import art
from generations.sandbox.drawings.generate import fit, scene
from generations.sandbox.drawings.masks import change_mask
from generations.sandbox.image_decoding import decode
from generations.sandbox.image_request import ImageRequest

# Where the old picture stands in the new one, by the direction in which the view moves: a share of its size.
PANS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"left": (0.5, 0.0), "right": (-0.5, 0.0), "up": (0.0, 0.5), "down": (0.0, -0.5)}
)


def grid(request: ImageRequest) -> Image.Image:
    """Draw four pictures of the prompt, two in a row; the seed of each is one more than that before."""
    half = request.width // 2, request.height // 2
    image = Image.new("RGB", (half[0] * 2, half[1] * 2))
    references = [decode(data) for data in request.files.values()]
    for index in range(4):
        drawn = _quarter(request, index + 1, half)
        if references:
            drawn = Image.blend(drawn, fit(references[index % len(references)], half), 0.4)
        image.paste(drawn, (index % 2 * half[0], index // 2 * half[1]))
    return art.mark(image)


def quarter(request: ImageRequest) -> Image.Image:
    """Draw one of the four at full size: the one that `values` has as `index`."""
    return art.mark(_quarter(request, request.values["index"], (request.width, request.height)))


def blend(request: ImageRequest) -> Image.Image:
    """Lay all pictures over each other, four times with another one on top."""
    half = request.width // 2, request.height // 2
    images = [fit(decode(data), half) for data in request.files.values()]
    result = Image.new("RGB", (half[0] * 2, half[1] * 2))
    for index in range(4):
        mixed = images[index % len(images)]
        for share, other in enumerate(images, start=2):
            mixed = Image.blend(mixed, other, 1 / share)
        result.paste(mixed, (index % 2 * half[0], index // 2 * half[1]))
    return art.mark(result)


def zoomed(request: ImageRequest) -> Image.Image:
    """Draw around the picture, which becomes smaller by the factor `zoom`."""
    parent = decode(request.files["image"])
    around = scene(request, request.prompt, parent.size)
    size = (
        max(1, round(parent.width / request.values["zoom"])),
        max(1, round(parent.height / request.values["zoom"])),
    )
    around.paste(parent.resize(size), ((parent.width - size[0]) // 2, (parent.height - size[1]) // 2))
    return art.mark(around)


def panned(request: ImageRequest) -> Image.Image:
    """Move the view by half a picture, and draw what comes into it."""
    parent = decode(request.files["image"])
    across, down = PANS[request.values["direction"]]
    moved = scene(request, request.prompt, parent.size)
    moved.paste(parent, (round(across * parent.width), round(down * parent.height)))
    return art.mark(moved)


def varied(request: ImageRequest) -> Image.Image:
    """Draw the picture again, a little or much otherwise, as `strength` says."""
    parent = decode(request.files["image"])
    return art.mark(Image.blend(parent, scene(request, request.prompt, parent.size), request.strength))


def enlarged(request: ImageRequest) -> Image.Image:
    """Enlarge twice, and sharpen."""
    parent = decode(request.files["image"])
    larger = parent.resize((parent.width * 2, parent.height * 2), Image.Resampling.LANCZOS)
    return larger.filter(ImageFilter.UnsharpMask(2, 80, 0))


def region(request: ImageRequest) -> Image.Image:
    """Draw the prompt where the mask is white."""
    parent = decode(request.files["image"])
    drawn = scene(request, request.prompt, parent.size)
    return Image.composite(drawn, parent, change_mask(request, parent.size))


def swapped(request: ImageRequest) -> Image.Image:
    """Put the middle of the face into the middle of the picture, in an oval."""
    target, face = decode(request.files["image"]), decode(request.files["face"])
    side = max(2, min(target.size) // 2)
    oval = Image.new("L", (side, side))
    ImageDraw.Draw(oval).ellipse((0, 0, side - 1, side - 1), fill=255)
    place = (target.width - side) // 2, (target.height - side) // 2
    target.paste(fit(face, (side, side)), place, oval.filter(ImageFilter.GaussianBlur(side / 24)))
    return art.mark(target)


def nothing(_request: ImageRequest) -> Image.Image:
    """Draw nothing, for a task whose result is a text."""
    return Image.new("RGB", (8, 8))


def _quarter(request: ImageRequest, index: int, size: tuple[int, int]) -> Image.Image:
    return scene(replace(request, seed=request.seed + index - 1), request.prompt, size)
