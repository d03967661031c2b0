#!/bin/sh
# resvg-py 0.5.0 draws no text in the generic font families unless Times New Roman or Arial is installed, and
# refuses a document whose size is in pt.
#
# 1. <text> without a family, and with serif, sans-serif or monospace, is left out without an error where only DejaVu
#    is installed (as in Debian's images with fonts-dejavu-core): the families are resvg's fixed names, and are not
#    looked up as fontconfig would. With font_family=, sans_serif_family= and so on it is drawn.
# 2. `dpi` is 0 by default ("SVG default"), and so width="20pt" is 0: ValueError. With dpi=96 it is drawn.
# 3. With width= and height= a document of 20 x 40 pt (26.67 x 53.33 pixels) asked for at 200 x 400 comes at 200 x 393:
#    its own size is rounded to whole pixels before it is scaled.
# Expected: text in some font; 96 dpi, as in CSS; 200 x 400.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check resvg-py==0.5.0 matplotlib==3.10.7
"$folder/venv/bin/python" - <<'PYTHON'
import pathlib
import struct
import sys
from importlib.metadata import version

import matplotlib
import resvg_py

# The DejaVu fonts that matplotlib brings, and no other, so that the machine's own do not matter.
fonts = str(pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf"))
only = {"skip_system_fonts": True, "font_dirs": [fonts]}


def draw(inside, attributes='viewBox="0 0 100 50"', size=(200, 100), **options):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'
    return resvg_py.svg_to_bytes(svg_string=svg, width=size[0], height=size[1], **only, **options)


print("resvg-py", version("resvg-py"))
blank, seen = draw(""), []
for family in ("", 'font-family="sans-serif"', 'font-family="DejaVu Sans"'):
    text = f'<text y="30" {family}>A fox</text>'
    named = draw(text, font_family="DejaVu Sans", sans_serif_family="DejaVu Sans")
    seen.append((draw(text) != blank, named != blank))
    print(family or "no family", "| drawn:", seen[-1][0], "| with families named:", seen[-1][1])
points = 'width="20pt" height="40pt" viewBox="0 0 20 40"'
try:
    draw("", points, (200, 400))
    seen.append("drawn")
except ValueError as error:
    seen.append("ValueError")
    print("20pt:", error)
seen.append(struct.unpack(">2I", draw("", points, (200, 400), dpi=96)[16:24]))
print("with dpi=96, asked for at 200 x 400:", seen[-1])
if seen != [(False, True), (False, True), (True, True), "ValueError", (200, 393)]:
    sys.exit("The behaviour changed.")
print("As described.")
PYTHON
