#!/bin/sh
# Pillow 12.3.0 writes EXIF's UserComment with the TIFF type BYTE, and changes it to BYTE when a file is saved again.
#
# Exif 2.32 (4.6.5) has type UNDEFINED (7) for UserComment. Programs that go by the type do not read the comment
# of such a file: piexif, by which AUTOMATIC1111's web UI reads and writes it, gives numbers instead of bytes and
# its helper ends in an error. Seen when a new value is set, and when a right one is only passed on by
# save(exif=image.getexif()). The same goes for MakerNote.
# Expected: type 7. Seen: type 1.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==12.3.0 piexif==1.1.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import struct
import sys
from importlib.metadata import version

import piexif
import piexif.helper
from PIL import Image

EXIF_SUB, USER_COMMENT = 0x8769, 0x9286


def type_of_comment(path):
    """The type in the entry of UserComment, read from the file's bytes."""
    exif = Image.open(path).info["exif"]
    tiff = exif[6:]
    order = ">" if tiff[:2] == b"MM" else "<"

    def entries(at):
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        return [struct.unpack_from(f"{order}HHII", tiff, at + 2 + 12 * each) for each in range(count)]

    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    sub = next(value for tag, _type, _count, value in entries(first) if tag == EXIF_SUB)
    return next(kind for tag, kind, _count, _value in entries(sub) if tag == USER_COMMENT)


picture = Image.new("RGB", (64, 64))
comment = piexif.helper.UserComment.dump("a red fox", encoding="unicode")
picture.save("right.jpg", exif=piexif.dump({"Exif": {piexif.ExifIFD.UserComment: comment}}))
exif = Image.Exif()
exif.get_ifd(EXIF_SUB)[USER_COMMENT] = comment
picture.save("new.jpg", exif=exif)
right = Image.open("right.jpg")
right_exif = right.getexif()
right_exif.get_ifd(EXIF_SUB)
right.save("again.jpg", exif=right_exif)

print("Pillow", version("pillow"))
types = {name: type_of_comment(f"{name}.jpg") for name in ("right", "new", "again")}
print("type of UserComment: by piexif", types["right"], "| by Pillow", types["new"], "| saved again", types["again"])
value = piexif.load("new.jpg")["Exif"][piexif.ExifIFD.UserComment]
print("piexif reads from Pillow's file:", type(value).__name__, "of", len(value))
if types != {"right": 7, "new": 1, "again": 1} or isinstance(value, bytes):
    sys.exit("The behaviour changed.")
print("As described: Pillow writes BYTE where EXIF has UNDEFINED.")
PYTHON
