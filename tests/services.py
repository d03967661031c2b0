"""A pytest plugin: every run has its own Valkey, S3 and database, and an environment that points to them.

It is loaded by `-p tests.services`, before Django reads its settings. With
SDWEB_TEST_DATABASE=postgresql the database is in a private PostgreSQL cluster, else SQLite. With `-n 2`
each of the processes has a Valkey, an S3 and a database of its own; the cluster is one for all.
"""

import atexit
import base64
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from sdweb.process import ports, servers
from sdweb.process.program import ChildProcess, Program
from tests import migrated, postgresql

BUCKET = "sdweb-tests"
LEADER = "SDWEB_TEST_LEADER"  # with `-n 2`, the process that started us; a run within a test has another
LED = os.environ.get(LEADER) == str(os.getppid())
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "") if LED else ""
DATABASE = f"tests{PROCESS}"
CLEARED = """
    ALLOWED_HOSTS AUDIT_ADDRESS_DAYS CSRF_TRUSTED_ORIGINS DEBUG DEFAULT_FROM_EMAIL EMAIL_URL HOST LOG_FORMAT
    METRICS_TOKEN API_REQUESTS_PER_TOKEN API_REQUESTS_PER_MEMBER COOKIE_PREFIX DATABASE_POOL_SIZE
    DATABASE_STATEMENT_TIMEOUT HSTS_PRELOAD HSTS_SUBDOMAINS PORT PUBLIC_URL S3_ADDRESSING_STYLE S3_CHECKSUM
    SDWEB_SANDBOX SECRET_KEY_FALLBACKS SECURE_SSL_REDIRECT SIGN_UP STABILITY_PROXY
    STABILITY_COSTS STABILITY_LOW_BALANCE STABILITY_MAX_IN_FLIGHT STABILITY_MODELS STABILITY_PACE
    STABILITY_API_KEY STABILITY_BASE_URL TIME_ZONE
    GATEWAY_API_KEY GATEWAY_BASE_URL GATEWAY_PROXY GATEWAY_SYSTEMS GATEWAY_HELPER_CAP
    GATEWAY_HELPER_COST GATEWAY_HELPER_MODEL GATEWAY_HELPER_PRICE TRASH_DAYS TRUSTED_PROXIES WORKER_THREADS
    AWS_PROFILE AWS_SESSION_TOKEN HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy
"""


def start(program: Program) -> None:
    """Start a server that ends when the tests do."""
    child = ChildProcess(program)
    atexit.register(child.stop)
    child.start()
    STARTED.append(child)


def private_folder() -> Path:
    """A folder that goes when the tests end; PostgreSQL's user passes through it."""
    folder = Path(tempfile.mkdtemp(prefix="sdweb-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o711)
    return folder


def start_valkey(folder: Path) -> dict[str, str]:
    """Start Valkey; the settings that lead to it."""
    port, password = ports.free_port(), secrets.token_urlsafe(12)
    start(servers.valkey(folder=folder / "valkey", port=port, password=password, log=folder / "valkey.log"))
    return {"REDIS_URL": f"redis://:{password}@{ports.LOOPBACK}:{port}/0"}


def start_object_storage(folder: Path) -> dict[str, str]:
    """Start S3 with one bucket; the settings that lead to it."""
    port, access_key, secret_key = ports.free_port(), secrets.token_hex(10), secrets.token_hex(20)
    (folder / "s3" / BUCKET).mkdir(parents=True)  # in this server a bucket is a folder
    log = folder / "s3.log"
    start(
        servers.object_storage(
            folder=folder / "s3", port=port, access_key=access_key, secret_key=secret_key, log=log
        )
    )
    return {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": f"http://{ports.LOOPBACK}:{port}",
        "S3_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
    }


def start_cluster(folder: Path) -> dict[str, str]:
    """Start PostgreSQL if SDWEB_TEST_DATABASE asks for it; where it is."""
    if os.environ.get("SDWEB_TEST_DATABASE", "sqlite") != "postgresql":
        return {}
    port = ports.free_port()
    start(postgresql.cluster(folder=folder / "postgresql", port=port, log=folder / "postgresql.log"))
    return {migrated.CLUSTER: f"postgres://sdweb@{ports.LOOPBACK}:{port}"}


def start_all() -> None:
    """Start everything at the same time, and set the environment for it."""
    folder, environment = private_folder(), {}
    if not PROCESS:
        os.environ.pop(migrated.CLUSTER, None)
        environment |= {
            LEADER: str(os.getpid()),
            migrated.FOLDER: str(folder),
            "STATIC_ROOT": str(folder / "static"),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        environment |= start_cluster(folder)
    environment |= {"SDWEB_DATA": str(folder / "data"), "SPOOL": str(folder / "data" / "spool")}
    for part in (start_valkey, start_object_storage):
        environment |= part(folder)
    for child in STARTED:
        child.wait_until_ready()
    for name in CLEARED.split():
        os.environ.pop(name, None)
    os.environ |= environment
    os.environ["DATABASE_URL"] = migrated.address(DATABASE)
    # One process of the tests has the threads of web, worker and upkeep, which elsewhere have a pool each.
    os.environ["DATABASE_POOL_SIZE"] = "50"


STARTED: list[ChildProcess] = []
start_all()
