"""Draw one SVG of standard input as PNG to standard output. Run by `svg.draw_svg` as a process of its own.

A hostile document may end the process that draws it, or keep it busy without end, and the library holds the
interpreter's lock meanwhile. This file imports nothing of the project: starting takes 20 ms and 32 MB.
"""

import resource
import sys

import resvg_py

# Without names resvg draws no text at all where Times New Roman and Arial are not installed.
FONTS = SANS, SERIF, MONOSPACE = "DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"


def main(width: int, height: int, folder: str, memory: int, seconds: int) -> None:
    """Draw within `memory` bytes of address space and `seconds` of CPU; `folder` is empty."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    drawn = resvg_py.svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode(),
        width=width,
        height=height,
        dpi=96,  # of the default, 0, a document in pt or mm has no size
        resources_dir=folder,
        font_family=SANS,
        serif_family=SERIF,
        sans_serif_family=SANS,
        cursive_family=SANS,
        fantasy_family=SANS,
        monospace_family=MONOSPACE,
    )
    sys.stdout.buffer.write(drawn)


if __name__ == "__main__":
    across, down, empty, most_memory, most_seconds = sys.argv[1:]
    main(int(across), int(down), empty, int(most_memory), int(most_seconds))
