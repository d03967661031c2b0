"""Small ICC profiles whose effect is plain to see (ICC.1:2004-10, 7.2 and 10)."""

import struct

D50 = (0.9642, 1.0, 0.8249)
SRGB_PRIMARIES = {
    "rXYZ": (0.4361, 0.2225, 0.0139),
    "gXYZ": (0.3851, 0.7169, 0.0971),
    "bXYZ": (0.1431, 0.0606, 0.7141),
}
LINEAR = b"curv" + bytes(4) + struct.pack(">I", 0)
LINEAR_128 = 188  # what a value of 128 in linear light is in sRGB


def linear_grey():
    """A profile for grey pictures whose values are linear light."""
    return _profile("mntr", "GRAY", "XYZ ", {"wtpt": _xyz(D50), "kTRC": LINEAR})


def linear_rgb():
    """A profile for RGB with the colors of sRGB, whose values are linear light."""
    primaries = {name: _xyz(value) for name, value in SRGB_PRIMARIES.items()}
    curves = dict.fromkeys(("rTRC", "gTRC", "bTRC"), LINEAR)
    return _profile("mntr", "RGB ", "XYZ ", {"wtpt": _xyz(D50)} | primaries | curves)


def printed_cmyk():
    """A profile for CMYK with a cyan as printers have it, much darker than the brightest of screens."""
    inks = []
    for number in range(16):  # cyan, magenta, yellow, black; the last one changes first
        cyan, magenta, yellow, black = (number >> bit & 1 for bit in (3, 2, 1, 0))
        lightness = (100 - 45 * cyan - 52 * magenta - 11 * yellow) * (1 - black)
        a, b = -37 * cyan + 74 * magenta - 5 * yellow, -50 * cyan - 3 * magenta + 93 * yellow
        inks.append(bytes(_byte(value) for value in (lightness * 2.55, a + 128, b + 128)))
    identity = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity
    table += bytes(range(256)) * 4 + b"".join(inks) + bytes(range(256)) * 3
    return _profile("prtr", "CMYK", "Lab ", {"wtpt": _xyz(D50), "A2B0": table})


def _byte(value):
    return max(0, min(255, round(value)))


def _xyz(values):
    return b"XYZ " + bytes(4) + _fixed(*values)


def _fixed(*values):
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _profile(kind, space, connection, tags):
    tags = {"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)} | tags
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        data = content + bytes(-len(content) % 4)
        table += name.encode() + struct.pack(">II", at + len(body), len(data))
        body += data
    header = struct.pack(
        ">I4sI4s4s4s12s4s",
        at + len(body),
        b"",
        0x02400000,
        *(each.encode() for each in (kind, space, connection)),
        struct.pack(">6H", 2026, 1, 1, 0, 0, 0),
        b"acsp",
    )
    header = header.ljust(68, b"\0") + _fixed(*D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
