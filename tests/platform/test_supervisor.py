"""Programs that are kept running, and stopped in order."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sdweb.process import supervisor as keeping
from sdweb.process.local_environment import BASE_DIR
from sdweb.process.program import DidNotStart, Program
from sdweb.process.supervisor import Supervisor
from tests.platform.portal import eventually

POLITE = """
import signal, sys, time
def end(*why):
    open("stopped", "a").write(sys.argv[1] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
open(sys.argv[1], "a").write("started ")
while True:
    time.sleep(0.01)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('deaf', 'w'); time.sleep(60)"


def program(
    folder: Path, name: str, code: str = POLITE, *, ready: bool = True, patience: float = 10
) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-c", code, name),
        folder=folder,
        log=folder / f"{name}.log",
        environment=dict(os.environ),
        ready=(folder / name).exists if ready else lambda: False,
        patience=patience,
    )


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said):
    supervisor = Supervisor(said.append)
    yield supervisor
    supervisor.told_to_stop = 2
    supervisor.stop()


def watch_until(supervisor: Supervisor, condition) -> None:
    """Let the supervisor watch until something has happened."""

    def tell() -> None:
        try:
            eventually(condition, within=20)
        finally:
            supervisor.told_to_stop = 1

    threading.Thread(target=tell).start()
    supervisor.watch()
    assert condition()


def starts(witness: Path) -> int:
    """How often a program has begun."""
    return witness.read_text().count("started") if witness.exists() else 0


def test_programs_stop_in_the_order_of_their_ranks(supervisor, tmp_path):
    for name, rank in {"store": 3, "web": 1, "worker": 2, "beat": 0}.items():
        supervisor.start([program(tmp_path, name)], rank=rank)
    supervisor.wait_until_ready()
    supervisor.stop()
    assert (tmp_path / "stopped").read_text().split() == ["beat", "web", "worker", "store"]


def test_a_program_that_ends_is_started_again_with_a_growing_pause(supervisor, said, tmp_path):
    supervisor.start([program(tmp_path, "short", "open('short', 'a').write('started ')")], rank=0)
    watch_until(supervisor, lambda: starts(tmp_path / "short") == 3)
    assert [float(sentence.split(" in ")[1].split(" s;")[0]) for sentence in said[:2]] == [0.5, 1]
    assert said[0].startswith("short stopped (exit code 0)")


def test_a_program_that_is_killed_is_started_again(supervisor, tmp_path):
    supervisor.start([program(tmp_path, "web")], rank=0)
    supervisor.wait_until_ready()
    os.kill(supervisor.watched[0].child.process.pid, signal.SIGKILL)
    watch_until(supervisor, lambda: starts(tmp_path / "web") == 2)


def test_a_program_that_fails_at_the_start_says_why(supervisor, tmp_path):
    supervisor.start([program(tmp_path, "broken", "raise SystemExit('no such thing')", ready=False)], rank=0)
    with pytest.raises(DidNotStart, match="broken stopped while starting: no such thing"):
        supervisor.wait_until_ready()


def test_whoever_does_not_stop_is_ended_when_its_patience_is_over(supervisor, tmp_path):
    supervisor.start([program(tmp_path, "deaf", DEAF, patience=0.3)], rank=0)
    supervisor.wait_until_ready()
    supervisor.stop()
    assert not supervisor.watched[0].child.is_alive()


def test_a_second_signal_does_not_wait(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "PATIENCE_IN_A_HURRY", 0.1)
    supervisor.start([program(tmp_path, "deaf", DEAF, patience=600)], rank=0)
    supervisor.wait_until_ready()
    supervisor.told_to_stop = 2
    supervisor.stop()
    assert not supervisor.watched[0].child.is_alive()


def test_a_log_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "LARGEST_LOG", 10)
    log = tmp_path / "web.log"
    with log.open("a") as writing:
        print("a long line", file=writing, flush=True)
        keeping.keep_small(log)
        print("the next", file=writing, flush=True)
    assert log.read_text() == "the next\n"
    assert (tmp_path / "web.log.1").read_text() == "a long line\n"


def test_nothing_outlives_a_parent_that_is_killed(tmp_path):
    parent = f"""
import os, sys, time
from pathlib import Path
from sdweb.process.program import Child, Program
child = Child(Program("deaf", (sys.executable, "-c", {DEAF!r}), Path("log"), dict(os.environ), Path.cwd()))
child.start()
print(child.process.pid, flush=True)
time.sleep(60)
"""
    environment = os.environ | {"PYTHONPATH": str(BASE_DIR)}
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    child = int(process.stdout.readline())
    assert eventually((tmp_path / "deaf").exists)
    process.kill()
    process.wait()
    assert eventually(lambda: has_ended(child), within=5)


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or dead and not yet fetched by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_program_whose_parent_is_gone_already_does_not_begin():
    code = (
        "from sdweb.process.program import *; end_with_parent(os.getpid(), signal.SIGKILL); print('it began')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
