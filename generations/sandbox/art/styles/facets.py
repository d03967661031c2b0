"""Styles made of flat faces: triangles, folded paper, and blocks seen from above."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from generations.sandbox.art import noise
from generations.sandbox.art.painting import Painting, blurred, to_array, to_image
from generations.sandbox.art.palette import Array, adjust, colour

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
BLOCKS = 26


def low_poly(painting: Painting) -> None:
    """Triangles of one colour each."""
    corners = jittered_grid(painting, painting.unit / 36, 0.38)
    faces = triangles(corners)
    tones = sample(painting, faces.mean(axis=1))
    tones = tones * (1 + painting.random.uniform(-0.06, 0.06, (len(faces), 1)))
    image = fill(painting, faces, adjust(tones.astype(np.float32), saturation=1.15, contrast=1.06))
    painting.rgb[:] = to_array(image)


def origami(painting: Painting) -> None:
    """Larger folds, shaded by the way they face, with bright creases."""
    corners = jittered_grid(painting, painting.unit / 9.5, 0.3)
    faces = triangles(corners)
    heights = painting.random.uniform(0, 1, corners.shape[:2])
    slopes = triangles(np.dstack([corners, heights[..., None]]))
    facing = np.cross(slopes[:, 1] - slopes[:, 0], slopes[:, 2] - slopes[:, 0])
    facing[:, 2] *= 0.012
    lit = facing @ np.array([-0.5, -0.75, 0.45]) / np.linalg.norm(facing, axis=1)
    tones = sample(painting, faces.mean(axis=1)) * (0.93 + lit[:, None] * 0.24)
    image = fill(painting, faces, tones.astype(np.float32))
    folds = fill(painting, faces, np.repeat(lit[:, None] * 0.5 + 0.5, 3, axis=1).astype(np.float32))
    soft = blurred(to_array(folds)[..., 0], painting.unit * 0.012)
    fibre = noise.cloud(painting.random, painting.size, 1.0) * 0.014
    painting.rgb[:] = to_array(image) * (0.8 + 0.32 * soft + fibre)[..., None]
    creases = Image.new("L", painting.size)
    pen = ImageDraw.Draw(creases)
    for face in faces:
        pen.line([(x, y) for x, y in face], fill=110)
    painting.lay(np.asarray(creases, dtype=np.float32) / 255, colour("fffdf4"))


def isometric(painting: Painting) -> None:
    """The scene as a board of blocks, as high as they are near or bright."""
    board = Image.fromarray((np.clip(painting.rgb, 0, 1) * 255).astype(np.uint8)).resize(
        (BLOCKS, BLOCKS), Image.Resampling.BOX
    )
    tones = np.asarray(board, dtype=np.float32) / 255
    near = np.asarray(
        to_image(painting.nearness).resize((BLOCKS, BLOCKS), Image.Resampling.BOX), dtype=np.float32
    )
    heights = np.sin(np.clip(near / 255 * 1.15, 0, 0.99) * np.pi) * 0.8 + (tones @ LUMINANCE) * 0.2
    ground = np.array(painting.palette.haze) * 0.35 + 0.62
    painting.rgb[:] = ground * (1.04 - 0.12 * painting.y / painting.height)[..., None]
    draw_blocks(painting, tones, np.round(heights * 8) / 8)


def draw_blocks(painting: Painting, tones: Array, heights: Array) -> None:
    """Columns from the back corner to the front one, each with three faces."""
    half = min(painting.width / (BLOCKS * 2.12), painting.height / (BLOCKS * 1.6))
    middle, top = painting.width / 2, painting.height / 2 - half * BLOCKS * 0.38
    pen = painting.pen()
    for row in range(BLOCKS):
        for column in range(BLOCKS):
            x = middle + (column - row) * half
            ground = top + (column + row) * half * 0.5
            y = ground - float(heights[row, column]) * half * 7
            deep = ground + half * 1.6
            tone = tones[row, column]
            left = [(x - half, y), (x, y + half / 2), (x, deep + half / 2), (x - half, deep)]
            right = [(x, y + half / 2), (x + half, y), (x + half, deep), (x, deep + half / 2)]
            cap = [(x, y - half / 2), (x + half, y), (x, y + half / 2), (x - half, y)]
            pen.polygon(left, tone * 0.78, 0.5)
            pen.polygon(right, tone * 0.58, 0.5)
            pen.polygon(cap, tone * 0.9 + 0.1, 0.5)
    pen.finish()


def jittered_grid(painting: Painting, step: float, jitter: float) -> Array:
    """Points (rows, columns, 2) over the whole picture and a little beyond."""
    columns, rows = int(painting.width / step) + 3, int(painting.height / step) + 3
    across, down = np.meshgrid(np.arange(columns) - 0.7, np.arange(rows) - 0.7)
    grid = np.dstack([across, down]) + painting.random.uniform(-jitter, jitter, (rows, columns, 2))
    return (grid * step).astype(np.float32)


def triangles(corners: Array) -> Array:
    """Two triangles per cell, the diagonal changing from cell to cell."""
    a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]
    even = (np.indices(a.shape[:2]).sum(axis=0) % 2 == 0)[..., None, None]
    first = np.where(even, np.stack([a, b, c], axis=2), np.stack([a, b, d], axis=2))
    second = np.where(even, np.stack([a, c, d], axis=2), np.stack([b, c, d], axis=2))
    return np.concatenate([first.reshape(-1, 3, a.shape[2]), second.reshape(-1, 3, a.shape[2])])


def sample(painting: Painting, points: Array) -> Array:
    """The colour of the painting around each point."""
    soft = blurred(painting.rgb, max(1.0, painting.unit * 0.005))
    columns = np.clip(points[:, 0].astype(int), 0, painting.width - 1)
    rows = np.clip(points[:, 1].astype(int), 0, painting.height - 1)
    picked: Array = soft[rows, columns]
    return picked


def fill(painting: Painting, faces: Array, tones: Array) -> Image.Image:
    """Faces in their colours, smooth at the edges."""
    image = Image.new("RGB", (painting.width * 2, painting.height * 2))
    pen = ImageDraw.Draw(image)
    paints = (np.clip(tones, 0, 1) * 255).astype(int)
    for face, paint in zip(faces * 2, paints, strict=True):
        pen.polygon([(x, y) for x, y in face.tolist()], fill=(int(paint[0]), int(paint[1]), int(paint[2])))
    return image.reduce(2)
