"""What a process costs: its CPU and its memory, as the kernel counts them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


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
