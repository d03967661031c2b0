"""docker-compose.yml and Dockerfile are valid and complete, and their commands run a portal."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import compose_spec
import pytest
import requests
import yaml

from generations.core import request_body
from sdweb import body_limit
from sdweb.process.local_environment import BASE_DIR
from sdweb.process.ports import free_port
from sdweb.process.program import ChildProcess, Program
from tests.deploy import compose
from tests.sdweb.portal import bare_environment, eventually, manage

PORTAL_SERVICES = ("web", "worker", "upkeep", "beat", "setup")
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text().replace("\\\n", " ").splitlines()


@pytest.fixture(scope="module")
def composed():
    return compose.read()


def test_it_follows_the_compose_specification(composed):
    specification = compose_spec.PyCompose.from_yaml(yaml.safe_dump(composed)).to_spec()
    assert set(specification.services) == set(composed["services"])


def test_everything_that_it_refers_to_exists(composed):
    services = composed["services"]
    used_volumes, used_networks = set(), set()
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for {other}, which says nothing"
        used_networks |= set(service["networks"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (BASE_DIR / source).exists(), source
            else:
                used_volumes.add(source)
    assert used_volumes == set(composed["volumes"])
    assert used_networks == set(composed["networks"])


def test_services_that_depend_on_each_other_share_a_network(composed):
    services = composed["services"]
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            assert set(service["networks"]) & set(services[other]["networks"]), f"{name} and {other}"


def test_only_web_and_the_proxy_can_be_reached_from_outside(composed):
    assert {name for name, service in composed["services"].items() if "ports" in service} == {"web", "proxy"}
    assert composed["networks"]["inside"]["internal"] is True


def test_no_log_grows_without_an_end(composed):
    for name, service in composed["services"].items():
        assert service["logging"]["driver"] == "json-file", name
        assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}, name


def test_networks_of_docker_are_trusted_and_others_can_be_named(composed):
    assert composed["services"]["web"]["environment"]["TRUSTED_PROXIES"] == "172.16.0.0/12,192.168.0.0/16"
    named = compose.read(TRUSTED_PROXIES="10.1.0.0/16")["services"]["web"]["environment"]
    assert named["TRUSTED_PROXIES"] == "10.1.0.0/16"


def test_workers_can_be_scaled_and_finish_what_runs(composed):
    worker = composed["services"]["worker"]
    assert "container_name" not in worker
    assert "ports" not in worker
    assert worker["stop_grace_period"] == "150s"
    assert worker["volumes"] == composed["services"]["upkeep"]["volumes"] == ["spool:/data/spool"]


@pytest.mark.parametrize("name", compose.REQUIRED)
def test_a_missing_variable_has_a_message(name):
    with pytest.raises(compose.Missing, match=f"{name}: put .+"):
        compose.read(**{name: ""})


def test_the_example_names_every_variable_and_holds_no_secret():
    example = (BASE_DIR / ".env.example").read_text()
    given = dict(re.findall(r"^(\w+)=(.*)$", example, flags=re.MULTILINE))
    assert set(compose.REQUIRED) <= set(given)
    assert not any(given[name] for name in compose.REQUIRED)
    assert set(given) <= set(re.findall(r"\$\{(\w+)", compose.text()))


def test_temporary_files_have_room_for_bodies_in_flight_and_no_more(composed):
    """They are memory: without a size, half of the machine's."""
    for name in PORTAL_SERVICES:
        [mount] = composed["services"][name]["tmpfs"]
        size = re.fullmatch(r"/tmp:size=(\d+)m", mount)
        assert size, mount
        assert 2 * request_body.MAX_IN_FLIGHT < int(size[1]) * 1024 * 1024 < 1024 * 1024 * 1024


def test_the_proxy_gives_up_requests_that_do_not_arrive_but_no_responses():
    caddyfile = (BASE_DIR / "deploy" / "Caddyfile").read_text()
    timeouts = re.search(r"timeouts \{(.*?)\n\t\t\}", caddyfile, re.DOTALL)[1]
    assert set(re.findall(r"^\t\t\t(\w+) ", timeouts, re.MULTILINE)) == {"read_header", "read_body", "idle"}
    largest = max(body_limit.UPLOADS.values())
    assert f"max_size {largest // 2**20}MiB" in caddyfile
    minutes = int(re.search(r"read_body (\d+)m", timeouts)[1])
    assert minutes * 60 >= request_body.SECONDS + largest / request_body.RATE


def test_images_are_pinned(composed):
    for service in composed["services"].values():
        assert re.search(r":(v?\d|local)", service["image"]), service["image"]


def test_files_that_the_image_copies_exist_and_are_not_ignored():
    sources = [
        source
        for line in DOCKERFILE
        if line.startswith("COPY") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    ignore = (BASE_DIR / ".dockerignore").read_text().split()
    allowed = [pattern[1:] for pattern in ignore if pattern.startswith("!")]
    assert sources
    for source in sources:
        assert (BASE_DIR / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in allowed), f".dockerignore hides {source}"


def test_the_image_does_not_run_as_root():
    assert [line for line in DOCKERFILE if line.startswith("USER")] == ["USER sdweb"]


@pytest.fixture
def stack(folder, empty_database):
    """Return the services and their environment, with the addresses of this run's private servers."""
    redis, port = urlsplit(os.environ["REDIS_URL"]), free_port()
    variables = {
        "VALKEY_PASSWORD": redis.password,
        "S3_ACCESS_KEY": os.environ["AWS_ACCESS_KEY_ID"],
        "S3_SECRET_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
        "S3_BUCKET": "compose-test",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    portal = compose.read(**variables)
    replacements = {
        "@valkey:6379/0": f"@127.0.0.1:{redis.port}/1",
        "http://storage:7070": os.environ["S3_ENDPOINT_URL"],
        "/data": str(folder),
    }
    environment = {
        "DATABASE_URL": empty_database,
        "STATIC_ROOT": os.environ["STATIC_ROOT"],
        "PORT": str(port),
    }
    for name, value in portal["services"]["setup"]["environment"].items():
        environment.setdefault(
            name, re.sub("|".join(replacements), lambda match: replacements[match[0]], str(value))
        )
    return portal["services"], bare_environment(**environment)


def test_its_commands_and_settings_run_a_portal(stack, folder):
    services, environment = stack
    (folder / "spool").mkdir()
    check = manage("check", "--deploy", "--fail-level", "INFO", environment=environment)
    assert check.returncode == 0, check.stderr

    setup = manage(*shlex.split(services["setup"]["command"])[2:], environment=environment)
    assert setup.returncode == 0, setup.stderr
    link = setup.stdout.strip().splitlines()[-1]
    assert link.startswith("https://pictures.example.com/")
    again = manage("setup", environment=environment)
    assert again.returncode == 0, again.stderr
    assert "https://" not in again.stdout

    children = start(
        {name: services[name] for name in PORTAL_SERVICES if name != "setup"}, environment, folder
    )
    try:
        port = environment["PORT"]
        healthy = ["python", "deploy/healthcheck.py", f"http://127.0.0.1:{port}/healthz"]
        assert services["web"]["healthcheck"]["test"] == ["CMD", *healthy[:2]]
        assert eventually(lambda: passes(healthy, environment)), children["web"].last_log_line()
        for name in ("worker", "upkeep"):
            ask = ["sh", "-c", services[name]["healthcheck"]["test"][1]]
            assert eventually(lambda ask=ask: passes(ask, environment)), children[name].last_log_line()
        claim = f"http://127.0.0.1:{port}{link.removeprefix('https://pictures.example.com')}"
        proxied = {"Host": "pictures.example.com", "X-Forwarded-Proto": "https"}
        page = requests.get(claim, headers=proxied, timeout=10, allow_redirects=False)
        assert page.status_code in {200, 302}
        plain = requests.get(
            claim, headers={"Host": "pictures.example.com"}, timeout=10, allow_redirects=False
        )
        assert plain.headers["Location"].startswith("https://pictures.example.com/")
        assert children["beat"].is_alive(), children["beat"].last_log_line()
    finally:
        for child in children.values():
            child.stop()
    codes = {name: child.process.returncode for name, child in children.items()}
    assert codes == {
        "web": -signal.SIGTERM,
        "worker": 0,
        "upkeep": 0,
        "beat": 0,
    }  # uvicorn ends by the signal


def start(services, environment, folder):
    """Start the services without Docker."""
    replaced = {"--port=8000": f"--port={environment['PORT']}", "--host=0.0.0.0": "--host=127.0.0.1"}
    replaced |= {"/tmp/beat": str(folder / "beat")}
    children = {}
    for name, service in services.items():
        command = tuple(compose.command(service, replaced))
        log = folder / f"{name}.log"
        children[name] = ChildProcess(Program(name, command, log, environment, BASE_DIR, stop_timeout=20))
        children[name].start()
    return children


def passes(command, environment):
    """Return whether a health check passes."""
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        command,
        cwd=BASE_DIR,
        env=environment | {"PATH": path, "HOSTNAME": socket.gethostname()},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
