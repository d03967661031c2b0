"""What a process costs: its CPU and its memory, as the kernel counts them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def ended_cpu_seconds(pid: int) -> float:
    """User and system time of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / TICK


def descendants(pid: int) -> list[int]:
    """A process and all that it started, and they."""
    children: dict[int, list[int]] = {}
    for each in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it ended meanwhile
            parent = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(each))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def name_of(pid: int) -> str:
    """What is seen of it in a list of processes: its title, or the program and what it runs."""
    words = Path(f"/proc/{pid}/cmdline").read_text().strip("\0").split("\0")
    return " ".join(word.rpartition("/")[2] for word in words[:4])


def memory(pid: int) -> float:
    """Its share of memory (PSS) in MB."""
    return _rolled_up(pid, "Pss:")


def own_memory(pid: int) -> float:
    """The memory that it shares with no other process (USS) in MB."""
    return _rolled_up(pid, "Private_Clean:", "Private_Dirty:")


def _rolled_up(pid: int, *names: str) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(names)) / 1024


class Watch:
    """CPU from here on, and the most memory, of some processes."""

    def __init__(self, pids: list[int]) -> None:
        self.pids, self.most, self._over = pids, [0.0] * len(pids), threading.Event()
        self._began = [cpu_seconds(pid) for pid in pids]
        threading.Thread(target=self._look, name="memory", daemon=True).start()

    def end(self) -> tuple[float, float]:
        """CPU seconds of all together, and the most that one of them had, in MB."""
        self._over.set()
        used = sum(cpu_seconds(pid) - began for pid, began in zip(self.pids, self._began, strict=True))
        return used, max(self.most)

    def _look(self) -> None:
        while not self._over.wait(2.0):
            self.most = [max(most, memory(pid)) for most, pid in zip(self.most, self.pids, strict=True)]


def machine_load() -> str:
    """How busy the machine is with everything that runs on it."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at {time.strftime('%H:%M')}"
