"""The small pictures of the styles on Create: `python -m tests.sandbox.style_samples` draws static/samples/.

All are the same scene of the sandbox's painter, so that people compare styles and not subjects. Each style is
drawn more strongly than a provider would, because a sample is 68 pixels wide on the page.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from generations.sandbox.art.canvas import Array, Canvas, Palette, colour, to_image
from generations.sandbox.art.scenes import draw_ridges
from generations.sandbox.art.styles import faceted, graded, outlined, tiled
from sdweb.process.local_environment import BASE_DIR

SAMPLES = BASE_DIR / "static" / "samples"
SIDE = 144  # pixels: twice the width on the page
WORK = 432  # pixels of the scene
SEED = 11
DAWN = "2b3f78 6d6fae e79aa0 f9cfa4 1b2140 fff2d2"
DAY = "3f86c8 7fb6df c3dfe8 eaf2e2 1f4a2c fffbe6"
NIGHT = "0b0620 24104a 5a2a8c b05cc0 12062c ffd9ff"
CANDY = "3fa9f5 7fd0ff ffd1e8 fff0c8 2f7f6a fffdf0"


def scene(palette: str = DAWN, side: int = WORK) -> Canvas:
    """The scene in these colours: sky from zenith to horizon, near, light."""
    colours = np.stack([colour(code) for code in palette.split()])
    canvas = Canvas((side, side), Palette(colours[:4], colours[4], colours[5]), np.random.default_rng(SEED))
    draw_ridges(canvas)
    return canvas


def photographic() -> Image.Image:
    """Daylight, sharp, a little grain."""
    return graded(scene(DAY), saturation=0.95, contrast=1.15, bloom=0.2, vignette=0.3, grain=6)


def cinematic() -> Image.Image:
    """Wide, between black bars, in teal and orange."""
    image = graded(scene("0d3b46 1f6a70 d98a4a ffc27a 06161c fff0d0"), contrast=1.3, vignette=0.5)
    pen = ImageDraw.Draw(image)
    bar = WORK // 6
    pen.rectangle((0, 0, WORK, bar), "black")
    pen.rectangle((0, WORK - bar, WORK, WORK), "black")
    return image


def analog_film() -> Image.Image:
    """Faded to brown, with light that leaked in, on a print with a white edge."""
    image = graded(scene(), tint="a08a5c", saturation=0.35, contrast=0.7, grain=26, vignette=0.4)
    leak = Image.linear_gradient("L").rotate(90).resize((WORK, WORK)).point(lambda value: max(0, value - 120))
    image = Image.composite(Image.new("RGB", image.size, "#ff8a3c"), image, leak)
    edge = WORK // 16
    ImageDraw.Draw(image).rectangle((0, 0, WORK - 1, WORK - 1), outline="#f4eedd", width=edge)
    ImageDraw.Draw(image).rectangle((0, WORK - 3 * edge, WORK, WORK), fill="#f4eedd")
    return image


def comic_book() -> Image.Image:
    """Loud colours, thick ink, and dots."""
    palette = "1f6fe0 3f9bff ffd23f ffe98a c2262e fff6c0"
    image = outlined(scene(palette), ink="0c0a12", levels=3, saturation=2.0, lines=26, softness=0.006)
    dots = Image.new("L", image.size)
    pen = ImageDraw.Draw(dots)
    step = WORK // 24
    for row in range(0, WORK, step):
        for column in range(row % (2 * step), WORK, 2 * step):
            pen.ellipse((column, row, column + step * 0.9, row + step * 0.9), fill=90)
    return Image.composite(Image.new("RGB", image.size, "#d8202c"), image, dots)


def neon_punk() -> Image.Image:
    """Lines that glow in the dark."""
    tones = ("05030f", "0b0524", "1a0a3c", "123a6a")
    return outlined(scene(), ink="ff3fd0", tones=tones, lines=20, contours=4, glow=1.8)


def isometric() -> Image.Image:
    """A block of columns, seen from above at an angle."""
    count, side = 9, WORK / 22
    canvas = scene(CANDY)
    small = to_image(canvas.rgb).resize((count, count), Image.Resampling.BOX)
    image = Image.new("RGB", (WORK, WORK), "#f3ead9")
    pen = ImageDraw.Draw(image)
    heights = canvas.profile(2.0, 2)[:: max(1, WORK // count)][:count]
    for row in range(count):
        for column in range(count):
            x = WORK / 2 + (column - row) * side
            y = WORK * 0.34 + (column + row) * side / 2
            tall = side * (0.6 + 4 * heights[column] * heights[row])
            paint = np.array(small.getpixel((column, row)))
            _column(pen, (x, y + side, tall, side), paint)
    return image


def _column(pen: ImageDraw.ImageDraw, place: tuple[float, float, float, float], paint: Array) -> None:
    """One column: its top, and two sides in the shade."""
    x, foot, tall, side = place
    top = foot - tall
    shades = [tuple(int(each) for each in paint * light) for light in (1.0, 0.72, 0.5)]
    pen.polygon([(x, top - side / 2), (x + side, top), (x, top + side / 2), (x - side, top)], shades[0])
    pen.polygon([(x - side, top), (x, top + side / 2), (x, foot + side / 2), (x - side, foot)], shades[1])
    pen.polygon([(x + side, top), (x, top + side / 2), (x, foot + side / 2), (x + side, foot)], shades[2])


def three_d_model() -> Image.Image:
    """Grey like an unpainted model, under its wires."""
    image = faceted(scene(), across=22, moved=0.05, contrast=0.02, seam=0.55).resize((WORK, WORK))
    grey = ImageEnhance.Contrast(image.convert("L")).enhance(1.5).convert("RGB")
    return ImageChops.multiply(grey, Image.new("RGB", grey.size, "#aab4c4"))


def clay() -> Image.Image:
    """Few soft colours, lit like thick plasticine."""
    palette = "3a7fc0 7fb9e0 f2b184 f7d38a 3c7f4a fff2c0"
    flat = outlined(scene(palette), ink="7a2f22", levels=4, saturation=1.3, softness=0.022, lines=0)
    relief = flat.convert("L").filter(ImageFilter.GaussianBlur(4)).filter(ImageFilter.EMBOSS)
    relief = ImageEnhance.Contrast(relief.filter(ImageFilter.GaussianBlur(2))).enhance(5).convert("RGB")
    return ImageChops.overlay(flat, relief)


def tile_texture() -> Image.Image:
    """A piece of the scene, mirrored and repeated."""
    piece = graded(scene(DAY), saturation=1.4).crop((0, WORK // 3, WORK // 2, WORK * 5 // 6))
    piece = piece.resize((WORK // 6, WORK // 6))
    pair = Image.new("RGB", (WORK // 3, WORK // 3))
    for across, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        part = piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if across else piece
        part = part.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if down else part
        pair.paste(part, (across * piece.width, down * piece.height))
    image = Image.new("RGB", (WORK, WORK))
    for across in range(3):
        for down in range(3):
            image.paste(pair, (across * pair.width, down * pair.height))
    return image


def enhance() -> Image.Image:
    """Before on the left, after on the right."""
    dull = graded(scene(), saturation=0.15, contrast=0.6, vignette=0).filter(ImageFilter.GaussianBlur(3))
    vivid = graded(scene(), saturation=1.6, contrast=1.25, bloom=0.1, vignette=0)
    vivid.paste(dull.crop((0, 0, WORK // 2, WORK)), (0, 0))
    ImageDraw.Draw(vivid).line((WORK // 2, 0, WORK // 2, WORK), "white", width=WORK // 48)
    return vivid


def origami() -> Image.Image:
    """Large folded sheets with light edges."""
    palette = "e8572a f2a03d f7d9a0 fdf3e0 a8322a ffffff"
    return faceted(scene(palette), across=11, contrast=0.3, seam=1.35)


def anime() -> Image.Image:
    """A bright sky in flat steps, thin lines."""
    return outlined(scene(CANDY), ink="24305c", levels=6, saturation=1.5, lines=6)


def digital_art() -> Image.Image:
    """Smooth bands of strong colours, without a line."""
    tones = ("14063c", "3a0f8a", "a01fb0", "ff4f6a", "ffb03a", "fff08a")
    return outlined(scene(), ink="000000", tones=tones, lines=0, softness=0.02)


SAMPLE_PAINTERS: dict[str, Callable[[], Image.Image]] = {
    "3d-model": three_d_model,
    "analog-film": analog_film,
    "anime": anime,
    "cinematic": cinematic,
    "comic-book": comic_book,
    "digital-art": digital_art,
    "enhance": enhance,
    "fantasy-art": lambda: graded(scene(NIGHT), tint="9c80a4", saturation=1.7, bloom=1.2, vignette=0.3),
    "isometric": isometric,
    "line-art": lambda: outlined(
        scene(), ink="1d1e24", tones=("f2ede2", "faf7f0", "ffffff"), lines=16, contours=6
    ),
    "low-poly": lambda: faceted(scene(CANDY), across=16, contrast=0.16),
    "modeling-compound": clay,
    "neon-punk": neon_punk,
    "origami": origami,
    "photographic": photographic,
    "pixel-art": lambda: tiled(scene("10206a 2a4fb0 c05fb0 ffb06a 0a2a3a ffffff"), across=24, colours=12),
    "tile-texture": tile_texture,
}


def main() -> None:
    """Draw all samples anew."""
    for name, paint in SAMPLE_PAINTERS.items():
        small = paint().convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        small.save(SAMPLES / f"style-{name}.webp", quality=84, method=6)


if __name__ == "__main__":
    main()
