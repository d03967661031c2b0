#!/bin/sh
# Django 5.2.8's slugify(allow_unicode=True) takes the vowels out of Hindi, Tamil and Thai words.
#
# It keeps what \w matches, and Python's \w does not match combining marks (Mn, Mc), which is what most vowels
# of these scripts are; its NFKC normalisation also takes the Thai vowel AM (U+0E33) apart. The documentation
# says that characters which are not alphanumerics, underscores, hyphens or whitespace are removed; readers of these
# scripts do not see that vowels are among them, and different words get the same slug.
# Expected: the words with hyphens between them. Seen: consonants alone.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.8
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import django
from django.utils.text import slugify

print("Django", django.__version__)
words = {"Hindi, a girl": "लड़की", "Hindi, a boy": "लड़का", "Tamil, a fox": "நரி", "Thai, a fox": "จิ้งจอก", "Thai, water": "น้ำ"}
slugs = {}
for meaning, word in words.items():
    slugs[meaning] = slugify(word, allow_unicode=True)
    print(f"{meaning}: {word} -> {slugs[meaning]}")
if any(slugs[meaning] == word for meaning, word in words.items()) or slugs["Hindi, a girl"] != slugs["Hindi, a boy"]:
    sys.exit("The behaviour changed.")
print("As described: no word kept its vowels, and two words have one slug.")
PYTHON
