#!/bin/sh
# uvicorn 0.54.0 (--workers 2, uvloop 0.23.0): an idle server gives connections that come one by one all to one process.
#
# Both processes wait on one listening socket, and a connection stays with the process that accepted it. Of 16 connections
# that are opened 10 ms apart, as by people and programs that come one after the other, and then kept:
#   15 or 16 are with the same process in nearly every round, although the other has nothing to do;
#   opened within a millisecond they are spread, 8 to 10 with one of them.
# So what keeps its connections (HTTP clients with a pool, proxies, open pages) may have one processor of two, by chance
# of when it connected, and more workers do not help it. Seen with Python 3.11 on Linux 6.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check uvicorn==0.54.0 uvloop==0.23.0 httptools==0.9.0
cat >app.py <<'PYTHON'
import os


async def app(scope, receive, send):
    if scope["type"] == "http":
        body = str(os.getpid()).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
PYTHON
cat >see.py <<'PYTHON'
import collections
import contextlib
import http.client
import socket
import statistics
import subprocess
import sys
import time

CONNECTIONS, ROUNDS = 16, 15

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--workers", "2", "--loop", "uvloop"]
server = subprocess.Popen([*command, "--log-level", "warning"])


def largest_share(gap):
    """The largest part of the connections that one process has."""
    connections = []
    for _ in range(CONNECTIONS):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.connect()
        connections.append(connection)
        time.sleep(gap)
    processes = collections.Counter()
    for connection in connections:
        connection.request("GET", "/")
        processes[connection.getresponse().read()] += 1
        connection.close()
    return max(processes.values()) / CONNECTIONS


try:
    for _ in range(100):
        with contextlib.suppress(OSError):
            largest_share(0.0)
            break
        time.sleep(0.1)
    time.sleep(1.0)  # by then the second process has started as well
    together = statistics.median(largest_share(0.0) for _ in range(ROUNDS))
    apart = statistics.median(largest_share(0.01) for _ in range(ROUNDS))
finally:
    server.terminate()
    server.wait(10)
print(f"opened together: {together:.0%} with one process; opened 10 ms apart: {apart:.0%} (medians of {ROUNDS})")
sys.exit(not (together <= 0.75 and apart >= 0.9))
PYTHON
environment/bin/python see.py
echo "One process takes all connections that come one by one, as was seen."
