"""Memory that nothing uses goes back to the system."""

from pathlib import Path

from generations.core import memory


def resident() -> float:
    """What this process has of the machine's memory, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def test_what_malloc_keeps_goes_back_to_the_system():
    pieces = [b"x" * 100_000 for _ in range(400)]
    above = b"x" * 100_000  # what is still used at the end of the heap, below which malloc keeps all
    del pieces
    kept = resident()
    memory.give_back()
    assert resident() < kept - 20
    assert above
