#!/bin/sh
# Pillow 12.3.0 saves a PNG without the EXIF that it is given, if all its values are in a sub-directory.
#
# UserComment and the position are in sub-directories. PngImagePlugin asks whether the Image.Exif is true, and an
# Exif that has nothing in its first directory is not, whatever get_ifd() holds. JPEG and WebP of the same call have
# the EXIF. No error, no warning. exif.tobytes() instead of exif works.
# Expected: EXIF in all three files. Seen: none in the PNG.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==12.3.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import PIL
from PIL import Image

EXIF_SUB, USER_COMMENT = 0x8769, 0x9286
print("Pillow", PIL.__version__)
kept = {}
for name in ("png", "jpg", "webp"):
    exif = Image.Exif()
    exif.get_ifd(EXIF_SUB)[USER_COMMENT] = b"ASCII\0\0\0a red fox"
    Image.new("RGB", (64, 64)).save(f"file.{name}", exif=exif)
    kept[name] = USER_COMMENT in Image.open(f"file.{name}").getexif().get_ifd(EXIF_SUB)
    print(f"file.{name}: EXIF is", "there" if kept[name] else "missing")
if kept != {"png": False, "jpg": True, "webp": True}:
    sys.exit("The behaviour changed.")
print("As described: the PNG was saved without it.")
PYTHON
