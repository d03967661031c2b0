#!/bin/sh
# py-svg-hush 0.3.0 puts white space between <tspan> elements, so that words of a drawing come apart.
#
# It indents its output also within <text>, where white space is seen: <tspan>fire</tspan><tspan>fly</tspan> is drawn
# as "fire fly". It also drops xml:space="preserve" where it stands, which would change it again. And of a style sheet
# with an escape in a property it leaves half a rule: rect{fill:u\72l(#a)} becomes rect{#a)}.
# Expected: text nodes as they were. Seen: line ends and spaces between the elements.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check py-svg-hush==0.3.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from xml.etree import ElementTree

import py_svg_hush

NAMESPACE = "http://www.w3.org/2000/svg"
print("py-svg-hush", version("py-svg-hush"))


def hushed(inside):
    return py_svg_hush.filter_svg(f'<svg xmlns="{NAMESPACE}">{inside}</svg>'.encode()).decode()


spans = ElementTree.fromstring(hushed("<text><tspan>fire</tspan><tspan>fly</tspan></text>"))
drawn = " ".join("".join(spans.find(f"{{{NAMESPACE}}}text").itertext()).split())
preserved = "space=" in hushed('<text xml:space="preserve">a  b</text>')
rule = hushed(r"<style>rect{fill:u\72l(#a)}</style>")
print("fire + fly is drawn as", repr(drawn), "| xml:space kept:", preserved, "|", rule.split("<style>")[1].split("<")[0])
if (drawn, preserved) != ("fire fly", False) or "rect{#a)}" not in rule:
    sys.exit("The behaviour changed.")
print("As described.")
PYTHON
