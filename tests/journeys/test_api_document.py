"""The examples of docs/api.md, run as they stand, all of a language one after the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from tests.journeys.studio import Studio

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(language: str) -> list[str]:
    return [code for name, code in BLOCK.findall(DOCUMENT.read_text()) if name == language]


@pytest.fixture
def token(studio: Studio) -> str:
    said = studio.manage(
        "issue_token", studio.email, "--scopes", "generate", "read", "administer", "--days", "90"
    )
    return said.split()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.linear_gradient("L").resize((640, 640)).convert("RGB").save(tmp_path / "sketch.png")
    mask = Image.new("L", (640, 640), 0)
    mask.paste(255, (200, 200, 400, 400))
    mask.save(tmp_path / "mask.png")
    transparent = Image.new("RGBA", (640, 640), "black")
    transparent.putalpha(ImageChops.invert(mask))
    transparent.save(tmp_path / "openai-mask.png")
    return tmp_path


def run(folder: Path, *command: str, **environment: str) -> str:
    """What the examples print; they must end well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def filled(code: str, studio: Studio, token: str) -> str:
    """With the address and the token of this portal, where the reader writes theirs."""
    return code.replace("https://pictures.example", studio.portal.address).replace("sdw_…", token)


def is_picture(file: Path) -> bool:
    with Image.open(file) as picture:
        picture.load()
        return picture.width * picture.height > 500_000


def test_the_examples_in_python_draw_and_administer(studio, token, folder):
    script = folder / "examples.py"
    script.write_text(filled("\n\n".join(examples("python")), studio, token))
    said = run(folder, sys.executable, script.name)
    drawn = ("harbour-0.png", "harbour-1.png", "harbour.png", "large.png")
    assert all(map(is_picture, map(folder.joinpath, drawn)))
    with Image.open(folder / "edited.png") as edited:
        assert edited.size == (640, 640)
    assert "upscale-fast upscale 2" in said
    assert "night shift night shift sdw_" in said


def test_the_examples_in_javascript_draw_and_administer(studio, token, folder):
    if not shutil.which("node"):
        pytest.skip("no Node.js")
    script = folder / "examples.mjs"
    script.write_text(filled("\n\n".join(examples("javascript")), studio, token))
    said = run(folder, "node", script.name)
    assert is_picture(folder / "painting.png")
    assert len([file for file in folder.glob("*-*.png") if is_picture(file)]) == 1
    assert "12 images" in said
    assert "Expanded: image image/png" in said
    assert f"{studio.portal.address}/join/" in said


def test_the_examples_for_a_shell_draw_and_administer(studio, token, folder):
    if missing := [name for name in ("bash", "curl", "jq") if not shutil.which(name)]:
        pytest.skip(f"no {', '.join(missing)}")
    code = [block for block in examples("") if "curl" in block]
    assert len(code) >= 5
    known = "set -euo pipefail\n" + (
        "" if shutil.which("uuidgen") else "uuidgen() { cat /proc/sys/kernel/random/uuid; }\n"
    )
    said = run(folder, "bash", "-c", known + "\necho\n".join(code), PORTAL=studio.portal.address, TOKEN=token)
    assert is_picture(folder / "harbour.webp")
    with Image.open(folder / "relit.png") as relit:
        assert relit.format == "PNG"
    assert '"error"' not in said, said
    assert re.search(r"sdw_\w{46}$", said, re.MULTILINE)
