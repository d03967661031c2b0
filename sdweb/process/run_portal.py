"""The whole portal on one machine, `manage.py portal`: how it starts and stops, and what it says meanwhile.

Web, workers and sandbox are forks of this process, which imports what they need. It has no connection to
anything, and no other threads when it forks; what needs the database is done by forks that end.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.utils.translation import gettext as _

from deploy.progress import Progress
from sdweb.process.fork import IS_SAFE, Errand, end_with_parent
from sdweb.process.ports import is_free
from sdweb.process.program import StartError
from sdweb.process.servers import MissingTool
from sdweb.process.services import Services
from sdweb.process.supervisor import POLL_INTERVAL, StopRequested, Supervisor

WEB, WORKERS, SERVERS, VALKEY = range(4)  # the order in which they stop
FIRST_OPERATOR = "operator@example.com"
STEPS = 3


def main(arguments: Sequence[str]) -> None:
    """Run the portal until it is stopped; exit with 1 and one sentence if it cannot start."""
    parser = ArgumentParser(prog="manage.py portal", description="Run the whole portal until it is stopped.")
    # of `make run`, which installs first
    parser.add_argument("--steps-done", type=int, default=0, help="steps that were shown before")
    options = parser.parse_args(arguments)
    if "MAKELEVEL" in os.environ:  # a signal that ends make must end this process too
        end_with_parent(os.getppid(), signal.SIGTERM)
    Portal(Progress(options.steps_done + STEPS, done=options.steps_done)).run()


class Portal:
    """Starts everything, restarts what ends, and stops everything."""

    def __init__(self, progress: Progress) -> None:
        """Start nothing yet."""
        self.progress = progress
        self.supervisor = Supervisor(print_message)
        self.supervisor.install_signal_handlers()

    def run(self) -> None:
        """Run until a stop is requested."""
        failure = ""
        try:
            self.start()
            self.supervisor.run()
        except StopRequested:
            pass
        except (StartError, MissingTool) as error:
            failure = str(error)
        except OSError as error:
            failure = f"{error.filename or os.environ['SDWEB_DATA']}: {error.strerror}"
        finally:
            self.stop()
        if failure:
            sys.exit(failure)

    def start(self) -> None:
        """Start everything, much of it at the same time, and print the address."""
        check_port()
        servers = Services(os.environ)
        self.supervisor.start(servers.valkey(), stop_order=VALKEY)
        self.supervisor.start(servers.object_storage(), stop_order=SERVERS)
        from sdweb.process import application  # noqa: PLC0415  takes a second, in which the servers start

        with self.progress.step(_("Starting Valkey and the image store")):
            self.supervisor.wait_until_ready()
        steps = (application.prepare_database, application.prepare_storage, application.prepare_pages)
        errands = [Errand(step, application.EXPECTED) for step in steps]
        with self.progress.step(_("Preparing the database, the image store and the pages")):
            application.load()
            for errand in errands:
                self.wait_for(errand)
        services = Services(os.environ, run=application.run if IS_SAFE else None)
        self.supervisor.start([services.web()], stop_order=WEB)
        self.supervisor.start(services.workers(), stop_order=WORKERS)
        self.supervisor.start(services.sandbox(), stop_order=SERVERS)
        email, password = os.environ.get("SETUP_OPERATOR_EMAIL") or FIRST_OPERATOR, secrets.token_urlsafe(9)
        founding = Errand(partial(application.create_first_operator, email, password), application.EXPECTED)
        with self.progress.step(_("Starting web and workers")):
            self.supervisor.wait_until_ready()
        self.print_address(self.wait_for(founding), password)

    def wait_for(self, errand: Errand) -> str:
        """Wait for its result, also if a stop is requested. Raises StartError, StopRequested."""
        while not errand.is_done():
            if self.supervisor.stop_requests > 1:
                raise StopRequested
            time.sleep(POLL_INTERVAL / 10)
        result, failure = errand.result()
        if failure:
            raise StartError(failure)
        self.supervisor.check_stop_requested()
        return result

    def print_address(self, email: str, password: str) -> None:
        """Print the address, and how to sign in: the first time as the new operator, with the password."""
        sign_in = _("Sign in as {email} with the password {password} (shown this once).")
        link = _("`.venv/bin/python manage.py reset_link EMAIL` prints a link to sign in.")
        sandbox = _(
            "The sandbox provider draws the pictures until STABILITY_API_KEY or GATEWAY_API_KEY is set."
        )
        print_message("\n" + _("Open {address}").format(address=settings.PUBLIC_URL))
        print_message(sign_in.format(email=email, password=password) if email else link)
        if settings.SANDBOX:
            print_message(sandbox)
        print_message(_("Ctrl-C stops everything."))

    def stop(self) -> None:
        """Stop everything in order and gracefully, or at once on a second signal."""
        if self.supervisor.supervised:
            print_message("Stopping; what runs is finished first. Ctrl-C again stops at once.")
        self.supervisor.stop()


def check_port() -> None:
    """Raise StartError if the portal cannot listen on HOST and PORT."""
    host, port = os.environ["HOST"], os.environ["PORT"]
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise StartError(f"PORT is {port}: it must be a number from 1 to 65535.")
    if not is_free(int(port), host):
        raise StartError(
            f"Nothing can listen on {host}:{port}: stop what does, or choose another (PORT=8001)."
        )


def print_message(message: str) -> None:
    """Print a message, unless the output is closed."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{message}\n")
        sys.stdout.flush()
