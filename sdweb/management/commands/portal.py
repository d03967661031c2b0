"""The whole portal on one machine: `make run`."""

import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection, connections
from django.utils.translation import gettext as _

from deploy.progress import Progress
from generations.library.storage.client import StorageUnavailable
from generations.office.installation import bootstrap as installation_bootstrap
from generations.office.members import service as members_service
from sdweb.process.ports import is_free
from sdweb.process.program import DidNotStart, end_with_parent
from sdweb.process.servers import MissingTool
from sdweb.process.services import Processes
from sdweb.process.supervisor import Supervisor, ToldToStop

BEAT, WEB, WORKERS, SERVERS, VALKEY = range(5)  # the order in which they stop
FIRST_OPERATOR = "operator@example.com"
POOL, WALLET = 10_000_00, 1_000_00


class Command(BaseCommand):
    """Prepares what is missing, starts everything, and stays until it is told to stop."""

    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """For `make run`, which installs first."""
        parser.add_argument("--steps-done", type=int, default=0, help="steps that were shown before")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the portal; exits with 1 and one sentence if it cannot."""
        if "MAKELEVEL" in os.environ:  # whoever ends make means us
            end_with_parent(os.getppid(), signal.SIGTERM)
        self.steps_done = options["steps_done"]
        self.supervisor = Supervisor(self.say)
        self.supervisor.listen()
        problem = ""
        try:
            self.open()
            self.supervisor.watch()
        except ToldToStop:
            pass
        except (DidNotStart, MissingTool, DatabaseError, StorageUnavailable) as error:
            problem = str(error)
        except OSError as error:
            problem = f"{error.filename or settings.SDWEB_DATA}: {error.strerror}"
        finally:
            self.close()
        if problem:
            sys.exit(problem)

    def open(self) -> None:
        """Start everything in order, and say where it is."""
        self.check_port()
        self.processes = Processes(os.environ)
        steps: list[tuple[str, Callable[[], object]]] = [
            (_("Starting Valkey and the image store"), self.start_servers),
            (_("Preparing the database"), self.prepare_database),
            (_("Preparing the image store"), installation_bootstrap.prepare_storage),
            (_("Preparing the pages"), self.prepare_pages),
            (_("Connecting the provider"), installation_bootstrap.connect_upstream),
            (_("Starting web, workers and beat"), self.start_portal),
        ]
        progress = Progress(self.steps_done + len(steps), done=self.steps_done)
        for name, step in steps:
            with progress.step(name):
                step()
        self.greet()

    def check_port(self) -> None:
        """DidNotStart if the address is not to be had."""
        host, port = os.environ["HOST"], os.environ["PORT"]
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            raise DidNotStart(_("PORT is %(port)s: it must be a number from 1 to 65535.") % {"port": port})
        if not is_free(int(port), host):
            raise DidNotStart(
                _("Nothing can listen on %(host)s:%(port)s: stop what does, or choose another (PORT=8001).")
                % {"host": host, "port": port}
            )

    def start_servers(self) -> None:
        """The embedded ones, as far as nobody gave us others."""
        self.supervisor.start(self.processes.valkey(), rank=VALKEY)
        self.supervisor.start(self.processes.servers(), rank=SERVERS)
        self.supervisor.wait_until_ready()
        try:
            redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5, socket_timeout=5).ping()
        except redis.RedisError as problem:
            raise DidNotStart(_("REDIS_URL does not answer: {why}").format(why=problem)) from problem

    def prepare_database(self) -> None:
        """Bring it up to date."""
        installation_bootstrap.prepare_database()
        let_go()

    def prepare_pages(self) -> None:
        """Collect what browsers load; each file has a name of its own for ever."""
        call_command("collectstatic", interactive=False, verbosity=0)

    def start_portal(self) -> None:
        """Beat comes last: it rings what the others answer."""
        let_go()
        self.supervisor.start([self.processes.web()], rank=WEB)
        self.supervisor.start(self.processes.workers(), rank=WORKERS)
        self.supervisor.start([self.processes.beat()], rank=BEAT)
        self.supervisor.wait_until_ready()

    def greet(self) -> None:
        """Say where the portal is, and once how to sign in."""
        email, password = os.environ.get("SETUP_OPERATOR_EMAIL") or FIRST_OPERATOR, secrets.token_urlsafe(9)
        founded = members_service.create_first_operator(
            email=email, password=password, pool=POOL, wallet=WALLET
        )
        let_go()
        sign_in = _("Sign in as {email} with the password {password} (shown this once).")
        link = _("`.venv/bin/python manage.py reset_url EMAIL` prints a link to sign in.")
        sandbox = _("The sandbox provider draws the pictures until STABILITY_API_KEY is set.")
        self.say("\n" + _("Open {address}").format(address=settings.PUBLIC_URL))
        self.say(sign_in.format(email=email, password=password) if founded else link)
        if settings.SANDBOX:
            self.say(sandbox)
        self.say(_("Ctrl-C stops everything."))

    def close(self) -> None:
        """Stop everything in order; what runs is finished unless we are told to stop twice."""
        if self.supervisor.watched:
            self.say(_("Stopping; what runs is finished first. Ctrl-C again stops at once."))
        self.supervisor.stop()
        connections.close_all()

    def say(self, sentence: str) -> None:
        """Show a sentence to whoever watches, if anybody does."""
        with contextlib.suppress(OSError):
            self.stdout.write(sentence)
            self.stdout.flush()


def let_go() -> None:
    """Leave PostgreSQL, but stay with SQLite: whoever closes its last connection waits for a checkpoint."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    else:
        connections.close_all()
        close_pool = getattr(connection, "close_pool", None)  # PostgreSQL's alone has one
        if close_pool:
            close_pool()
