"""The whole portal on one machine: `make run`."""

import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection, connections
from django.utils.translation import gettext as _
from redis import RedisError

from deploy.progress import Progress
from generations.core import redis_client
from generations.library.storage.client import StorageUnavailable
from generations.office.installation import bootstrap as installation_bootstrap
from generations.office.members import service as members_service
from sdweb.process.ports import is_free
from sdweb.process.program import StartError, end_with_parent
from sdweb.process.servers import MissingTool
from sdweb.process.services import Services
from sdweb.process.supervisor import StopRequested, Supervisor

BEAT, WEB, WORKERS, SERVERS, VALKEY = range(5)  # the order in which they stop
FIRST_OPERATOR = "operator@example.com"
POOL, WALLET = 10_000_00, 1_000_00


class Command(BaseCommand):
    """Run the whole portal with embedded services until it is stopped."""

    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option of `make run`, which installs first."""
        parser.add_argument("--steps-done", type=int, default=0, help="steps that were shown before")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the portal; exit with 1 and one sentence if it cannot."""
        if "MAKELEVEL" in os.environ:  # a signal that ends make must end this process too
            end_with_parent(os.getppid(), signal.SIGTERM)
        self.steps_done = options["steps_done"]
        self.supervisor = Supervisor(self.print_message)
        self.supervisor.install_signal_handlers()
        failure = ""
        try:
            self.start()
            self.supervisor.run()
        except StopRequested:
            pass
        except (StartError, MissingTool, DatabaseError, StorageUnavailable) as error:
            failure = str(error)
        except OSError as error:
            failure = f"{error.filename or settings.SDWEB_DATA}: {error.strerror}"
        finally:
            self.stop()
        if failure:
            sys.exit(failure)

    def start(self) -> None:
        """Start everything in order and print the address."""
        self.check_port()
        self.services = Services(os.environ)
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
        self.print_address()

    def check_port(self) -> None:
        """Raise StartError if the portal cannot listen on HOST and PORT."""
        host, port = os.environ["HOST"], os.environ["PORT"]
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            raise StartError(_("PORT is %(port)s: it must be a number from 1 to 65535.") % {"port": port})
        if not is_free(int(port), host):
            raise StartError(
                _("Nothing can listen on %(host)s:%(port)s: stop what does, or choose another (PORT=8001).")
                % {"host": host, "port": port}
            )

    def start_servers(self) -> None:
        """Start the embedded servers, without those that are configured otherwise."""
        self.supervisor.start(self.services.valkey(), stop_order=VALKEY)
        self.supervisor.start(self.services.servers(), stop_order=SERVERS)
        self.supervisor.wait_until_ready()
        try:
            redis_client.client(5.0).ping()
        except RedisError as problem:
            raise StartError(_("REDIS_URL does not answer: {why}").format(why=problem)) from problem

    def prepare_database(self) -> None:
        """Migrate the database."""
        installation_bootstrap.prepare_database()
        release_database()

    def prepare_pages(self) -> None:
        """Collect the static files, with hashed names."""
        call_command("collectstatic", interactive=False, verbosity=0)

    def start_portal(self) -> None:
        """Start the web server, the workers, and beat last, which sends them tasks."""
        release_database()
        self.supervisor.start([self.services.web()], stop_order=WEB)
        self.supervisor.start(self.services.workers(), stop_order=WORKERS)
        self.supervisor.start([self.services.beat()], stop_order=BEAT)
        self.supervisor.wait_until_ready()

    def print_address(self) -> None:
        """Print the address, and the first time how to sign in."""
        email, password = os.environ.get("SETUP_OPERATOR_EMAIL") or FIRST_OPERATOR, secrets.token_urlsafe(9)
        founded = members_service.create_first_operator(
            email=email, password=password, pool=POOL, wallet=WALLET
        )
        release_database()
        sign_in = _("Sign in as {email} with the password {password} (shown this once).")
        link = _("`.venv/bin/python manage.py reset_link EMAIL` prints a link to sign in.")
        sandbox = _(
            "The sandbox provider draws the pictures until STABILITY_API_KEY or GATEWAY_API_KEY is set."
        )
        self.print_message("\n" + _("Open {address}").format(address=settings.PUBLIC_URL))
        self.print_message(sign_in.format(email=email, password=password) if founded else link)
        if settings.SANDBOX:
            self.print_message(sandbox)
        self.print_message(_("Ctrl-C stops everything."))

    def stop(self) -> None:
        """Stop everything in order and gracefully, or at once on a second signal."""
        if self.supervisor.supervised:
            self.print_message(_("Stopping; what runs is finished first. Ctrl-C again stops at once."))
        self.supervisor.stop()
        connections.close_all()

    def print_message(self, message: str) -> None:
        """Print a message, unless the output is closed."""
        with contextlib.suppress(OSError):
            self.stdout.write(message)
            self.stdout.flush()


def release_database() -> None:
    """Close connections to PostgreSQL; keep one to SQLite, whose last close would wait for a checkpoint."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    else:
        connections.close_all()
        close_pool = getattr(connection, "close_pool", None)  # only on PostgreSQL
        if close_pool:
            close_pool()
