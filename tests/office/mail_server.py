"""A mail server for tests: takes what it is sent, or refuses, drops and stalls as it is told."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """As much SMTP as a client needs to hand over a message."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.taken: list[EmailMessage] = []
        self.refuse: set[str] = set()  # addresses
        self.drop = False
        self.stall = 0.0  # seconds before a message is acknowledged

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def recipients(self) -> list[str]:
        return [message["To"] for message in self.taken]


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.say("220 tests")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if self.server.drop:
                return
            if verb.upper() == "DATA":
                self.say("354 go on")
                self.take()
            elif verb.upper() == "RCPT" and any(f"<{each}>" in rest for each in self.server.refuse):
                self.say("550 nobody here of that name")
            elif verb.upper() == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 well")

    def take(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        time.sleep(self.server.stall)
        self.server.taken.append(message)  # type: ignore[arg-type]
        self.say("250 taken")


@contextlib.contextmanager
def running() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
