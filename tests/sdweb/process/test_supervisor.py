"""The supervisor restarts programs that end, and stops them in order."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sdweb.process import supervisor as process_supervisor
from sdweb.process.local_environment import BASE_DIR
from sdweb.process.program import Program, StartError
from sdweb.process.supervisor import Supervisor
from tests.sdweb.portal import eventually

STOPS_ON_SIGTERM = """
import signal, sys, time
def end(*why):
    open("stopped", "a").write(sys.argv[1] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
open(sys.argv[1], "a").write("started ")
while True:
    time.sleep(0.01)
"""
IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('deaf', 'w'); time.sleep(60)"
)


def program(
    folder: Path, name: str, code: str = STOPS_ON_SIGTERM, *, ready: bool = True, stop_timeout: float = 10
) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-c", code, name),
        folder=folder,
        log=folder / f"{name}.log",
        environment=dict(os.environ),
        ready=(folder / name).exists if ready else lambda: False,
        stop_timeout=stop_timeout,
    )


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def supervisor(messages):
    supervisor = Supervisor(messages.append)
    yield supervisor
    supervisor.stop_requests = 2
    supervisor.stop()


@pytest.fixture
def handled_signals(supervisor):
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    supervisor.install_signal_handlers()
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def run_until(supervisor: Supervisor, condition) -> None:
    """Run the supervisor until the condition holds."""

    def request_stop() -> None:
        try:
            eventually(condition, within=20)
        finally:
            supervisor.stop_requests = 1

    threading.Thread(target=request_stop).start()
    supervisor.run()
    assert condition()


def starts(file: Path) -> int:
    """Return how often a program was started."""
    return file.read_text().count("started") if file.exists() else 0


def test_programs_are_stopped_in_order(supervisor, tmp_path):
    for name, order in {"store": 3, "web": 1, "worker": 2, "beat": 0}.items():
        supervisor.start([program(tmp_path, name)], stop_order=order)
    supervisor.wait_until_ready()
    supervisor.stop()
    assert (tmp_path / "stopped").read_text().split() == ["beat", "web", "worker", "store"]


def test_a_program_that_ends_is_restarted_with_growing_back_off(supervisor, messages, tmp_path):
    supervisor.start([program(tmp_path, "short", "open('short', 'a').write('started ')")], stop_order=0)
    run_until(supervisor, lambda: starts(tmp_path / "short") == 3)
    assert [float(sentence.split(" in ")[1].split(" s;")[0]) for sentence in messages[:2]] == [0.5, 1]
    assert messages[0].startswith("short stopped (exit code 0)")


def test_a_killed_program_is_restarted(supervisor, tmp_path):
    supervisor.start([program(tmp_path, "web")], stop_order=0)
    supervisor.wait_until_ready()
    os.kill(supervisor.supervised[0].child.process.pid, signal.SIGKILL)
    run_until(supervisor, lambda: starts(tmp_path / "web") == 2)


def test_signals_and_ended_programs_do_not_wait_for_the_next_look(
    supervisor, handled_signals, tmp_path, monkeypatch
):
    monkeypatch.setattr(process_supervisor, "REST_INTERVAL", 600)
    supervisor.start([program(tmp_path, "web")], stop_order=0)
    supervisor.wait_until_ready()

    def kill_and_stop() -> None:
        os.kill(supervisor.supervised[0].child.process.pid, signal.SIGKILL)
        eventually(lambda: starts(tmp_path / "web") == 2, within=20)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=kill_and_stop).start()
    supervisor.run()
    assert starts(tmp_path / "web") == 2


def test_a_failed_start_reports_the_last_log_line(supervisor, tmp_path):
    supervisor.start(
        [program(tmp_path, "broken", "raise SystemExit('no such thing')", ready=False)], stop_order=0
    )
    with pytest.raises(StartError, match="broken stopped while starting: no such thing"):
        supervisor.wait_until_ready()


def test_a_program_that_does_not_stop_is_killed_after_its_timeout(supervisor, tmp_path):
    supervisor.start([program(tmp_path, "deaf", IGNORES_SIGTERM, stop_timeout=0.3)], stop_order=0)
    supervisor.wait_until_ready()
    supervisor.stop()
    assert not supervisor.supervised[0].child.is_alive()


def test_a_second_signal_kills_at_once(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr(process_supervisor, "FORCED_STOP_TIMEOUT", 0.1)
    supervisor.start([program(tmp_path, "deaf", IGNORES_SIGTERM, stop_timeout=600)], stop_order=0)
    supervisor.wait_until_ready()
    supervisor.stop_requests = 2
    supervisor.stop()
    assert not supervisor.supervised[0].child.is_alive()


def test_a_large_log_is_truncated(tmp_path, monkeypatch):
    monkeypatch.setattr(process_supervisor, "MAX_LOG_SIZE", 10)
    log = tmp_path / "web.log"
    with log.open("a") as writing:
        print("a long line", file=writing, flush=True)
        process_supervisor.truncate_if_large(log)
        print("the next", file=writing, flush=True)
    assert log.read_text() == "the next\n"
    assert (tmp_path / "web.log.1").read_text() == "a long line\n"


def test_a_child_process_ends_when_its_parent_is_killed(tmp_path):
    parent = f"""
import os, sys, time
from pathlib import Path
from sdweb.process.program import ChildProcess, Program
command = (sys.executable, "-c", {IGNORES_SIGTERM!r})
child = ChildProcess(Program("deaf", command, Path("log"), dict(os.environ), Path.cwd()))
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
    """Return whether a process has ended or is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_child_process_whose_parent_has_ended_does_not_start():
    code = (
        "from sdweb.process.program import *; end_with_parent(os.getpid(), signal.SIGKILL); print('it began')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
