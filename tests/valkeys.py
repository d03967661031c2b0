"""Private Valkey servers for tests that break them, and TLS in front of one."""

from __future__ import annotations

import dataclasses
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sdweb.process import ports, servers
from sdweb.process.program import ChildProcess

PASSWORD = "of-this-valkey"


class Valkey:
    """A server that can be restarted, with its own data."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.port, self.log = ports.free_port(), folder / "valkey.log"
        program = servers.valkey(folder=folder / "valkey", port=self.port, password=PASSWORD, log=self.log)
        lines = "".join(f"{line}\n" for line in settings)
        self.child = ChildProcess(dataclasses.replace(program, standard_input=program.standard_input + lines))
        self.url = f"redis://:{PASSWORD}@{ports.LOOPBACK}:{self.port}/0"
        self.start()

    def start(self) -> None:
        self.child.start()
        self.child.wait_until_ready()

    def stop(self) -> None:
        self.child.stop()

    def client(self) -> redis.Redis:
        """A client with all rights."""
        return redis.Redis(host=ports.LOOPBACK, port=self.port, password=PASSWORD)


@contextmanager
def running(folder: Path, *settings: str) -> Iterator[Valkey]:
    """Run a server with further lines of configuration until the end of the block."""
    server = Valkey(folder, *settings)
    try:
        yield server
    finally:
        server.stop()


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate for the name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


@contextmanager
def tls_in_front_of(port: int, certificate_file: Path, key_file: Path) -> Iterator[int]:
    """A port that speaks TLS and passes what it decrypts to the other one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    listener = socket.create_server((ports.LOOPBACK, 0))

    def serve(plain: socket.socket) -> None:
        with (
            suppress(OSError),
            plain,
            context.wrap_socket(plain, server_side=True) as front,
            socket.create_connection((ports.LOOPBACK, port)) as back,
        ):
            threading.Thread(target=_copy, args=(back, front), daemon=True).start()
            _copy(front, back)

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
