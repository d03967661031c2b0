#!/bin/sh
# unstable-reader 0.1.0 reads no parameters from a JPEG or WebP if the prompt has ß, Ü, Ø or another of U+00D8 to U+00DF.
#
# AUTOMATIC1111's web UI writes UserComment in UTF-16 with the high byte first (piexif.helper.UserComment.dump).
# unstable_reader/image_data_reader.py decodes it as "utf-16" to look for StableSwarmUI's words; without a byte
# order mark that is low byte first, in which 00 DF is half of a surrogate pair, and the file is given up. For
# other letters the same wrong decoding does no harm, since its result is only searched.
# Expected: the prompt of both files. Seen: "" for the one with ß.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check unstable-reader==0.1.0 piexif==1.1.3 pillow==12.3.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import contextlib
import io
import sys
from importlib.metadata import version

import piexif
import piexif.helper
from PIL import Image
from unstable_reader import ImageMetadataExtractor

read = {}
for prompt in ("ein Fuchs im Gras", "ein Fuchs auf der Straße"):
    text = f"{prompt}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 64x64"
    comment = piexif.helper.UserComment.dump(text, encoding="unicode")
    assert piexif.helper.UserComment.load(comment) == text
    Image.new("RGB", (64, 64)).save("file.jpg", exif=piexif.dump({"Exif": {piexif.ExifIFD.UserComment: comment}}))
    extractor = ImageMetadataExtractor("file.jpg")
    with contextlib.redirect_stdout(io.StringIO()):
        extractor.extract_metadata()
    read[prompt] = extractor.prompt
print("unstable-reader", version("unstable-reader"))
for prompt, found in read.items():
    print(f"in the file: {prompt!r}  read: {found!r}")
if [found == prompt for prompt, found in read.items()] != [True, False]:
    sys.exit("The behaviour changed.")
print("As described: the file with ß was not read.")
PYTHON
