"""Services that are forks of the portal's process behave as programs of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sdweb.process.local_environment import BASE_DIR
from tests.sdweb.portal import eventually
from tests.sdweb.process.test_supervisor import has_ended

BEGIN = """
import os, signal, sys, time
from pathlib import Path
from sdweb.process import fork
from sdweb.process.fork import Errand, Fork
from sdweb.process.program import ChildProcess, Program

def child(run, **more):
    child = ChildProcess(Program("it", (), Path("log"), {"SAID": "hello"}, Path.cwd(), forked=run, **more))
    child.start()
    return child
"""


@pytest.fixture
def start(tmp_path):
    """A process that forks; tests have threads and connections, so none forks itself."""
    started = []

    def start(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(BASE_DIR), "PYTHONUNBUFFERED": ""},  # as most systems have it
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def output(start):
    def output(code: str) -> list[str]:
        said, _nothing = start(code).communicate(timeout=60)
        return said.splitlines()

    return output


def test_it_writes_to_its_log_with_its_environment_and_what_its_parent_has_not_written_stays_there(
    output, tmp_path
):
    said = output("""
sys.stdout.write("of the parent ")
one = child(lambda: print(os.environ["SAID"], "of the child"))
print(one.process.wait(20))
""")
    assert said == ["of the parent 0"]
    assert (tmp_path / "log").read_text() == "hello of the child\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("sys.exit(3)", "exit code 3"),
        ("sys.exit('a sentence')", "exit code 1"),
        ("1 / 0", "exit code 1"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ],
)
def test_its_end_is_told_as_that_of_a_program(output, tmp_path, code, status):
    assert output(f"""
one = child(lambda: exec({code!r}))
one.process.wait(20)
print(one.exit_status())
""") == [status]
    expected = {"1 / 0": "ZeroDivisionError", "sys.exit('a sentence')": "a sentence"}
    assert expected.get(code, "") in (tmp_path / "log").read_text()


def test_it_waits_for_its_threads_and_does_nothing_that_its_parent_would_do_at_its_end(output, tmp_path):
    output("""
import threading
def late():
    time.sleep(0.3)
    Path("late").touch()
try:
    child(threading.Thread(target=late).start).process.wait(20)
finally:
    with open("ends", "a") as ends:
        ends.write("x")
""")
    assert (tmp_path / "late").exists()
    assert (tmp_path / "ends").read_text() == "x"


def test_it_is_stopped_by_the_signals_of_a_program_whatever_its_parent_does_with_them(output):
    assert output("""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
one = child(lambda: (Path("runs").touch(), time.sleep(60)))
while not Path("runs").exists(): time.sleep(0.01)
one.stop()
print(one.exit_status(), one.uptime() < 9)
""") == ["SIGTERM True"]


def test_it_is_killed_with_what_it_started(output):
    [started] = output("""
import subprocess
def run():
    Path("started.new").write_text(str(subprocess.Popen(["sleep", "60"]).pid))
    Path("started.new").rename("started")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
one = child(run, stop_timeout=0.2)
while not Path("started").exists(): time.sleep(0.01)
one.stop()
print(Path("started").read_text())
""")
    assert eventually(lambda: has_ended(int(started)), within=5)


def test_it_ends_when_its_parent_is_killed(start):
    parent = start("""
one = child(lambda: time.sleep(60))
print(one.process.pid, flush=True)
time.sleep(60)
""")
    child = int(parent.stdout.readline())
    assert not has_ended(child)
    parent.kill()
    assert eventually(lambda: has_ended(child), within=5)


def test_it_is_seen_under_its_own_name(output):
    [command] = output("""
one = child(lambda: (Path("runs").touch(), time.sleep(60)))
while not Path("runs").exists(): time.sleep(0.01)
print(Path(f"/proc/{one.process.pid}/cmdline").read_text().rstrip("\\0"))
one.kill()
""")
    assert command == "sdweb it"


def test_an_errand_brings_its_result_or_a_sentence(output):
    assert output("""
def fails(error):
    raise error
print(Errand(lambda: "done").result())
print(Errand(lambda: fails(KeyError("known")), (KeyError,)).result())
print(Errand(lambda: open("nowhere")).result())
print(Errand(lambda: fails(KeyError("unknown"))).result())
print(Errand(lambda: os.kill(os.getpid(), 9)).result())
""") == [
        "('done', '')",
        "('', \"'known'\")",
        "('', 'nowhere: No such file or directory')",
        "('', 'exit code 1')",
        "('', 'SIGKILL')",
    ]


def test_every_fork_is_a_worker_with_a_spool_of_its_own(output):
    names = output("""
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "sdweb.settings"
django.setup()
from generations.jobs.engine import spool
names = [spool.WORKER] + [Errand(lambda: spool.WORKER).result()[0] for _ in range(2)]
print(*names, sep="\\n")
""")
    assert len(set(names)) == 3


def test_a_fork_does_not_hold_the_folder_after_its_parent(start, tmp_path):
    parent = start("""
from sdweb.process import local_environment
local_environment.generate({"SDWEB_DATA": "var"})
one = Fork(lambda: time.sleep(60), parent_death_signal=signal.SIGURG)
print(one.pid, flush=True)
time.sleep(60)
""")
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    again = "from sdweb.process import local_environment; local_environment.generate({'SDWEB_DATA': 'var'})"
    try:
        assert start(again).wait(30) == 0
        assert not has_ended(child)
    finally:
        os.kill(child, 9)
