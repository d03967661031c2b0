#!/bin/sh
# psycopg (PyPI: psycopg 3.3.9) reads the SQL of a statement with more than 50 values, or longer than 4,096 bytes,
# anew each time it is executed; where the values stand in all others is remembered after the first time.
#
# Seen with psycopg-binary 3.3.9 and ClientCursor, the cursor that Django takes, and with the usual Cursor: of 100
# executions of one INSERT, the one with 50 values is read once, the one with 51 a hundred times; the same for
# statements of 4,096 and of 4,097 bytes. Nothing documents the limits. With Django most INSERTs of several rows, and
# every UPDATE of a hundred rows by their keys, are beyond them: each execution then takes half a millisecond of
# Python before anything is sent. Short statements that are rendered one by one with mogrify and sent together are not
# read again.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check psycopg==3.3.9 psycopg-binary==3.3.9
cat >see.py <<'PYTHON'
import cProfile
import pstats
import time

from psycopg import pq
from psycopg._queries import PostgresClientQuery, PostgresQuery
from psycopg.adapt import Transformer


def times_read(kind, statement, values):
    """How often 100 executions look for the placeholders, and the microseconds of one."""
    profile = cProfile.Profile()
    began = time.perf_counter()
    with profile:
        for _ in range(100):
            kind(Transformer()).convert(statement, values)
    seconds = time.perf_counter() - began
    reads = sum(
        calls
        for (_file, _line, name), (calls, *_rest) in pstats.Stats(profile).stats.items()
        if name == "_split_query"
    )
    return reads, round(10_000 * seconds)


def insert(count):
    return f"INSERT INTO t VALUES ({', '.join(['%s'] * count)})"


def padded(length):
    text = "SELECT %s /* {} */"
    return text.format("x" * (length - len(text) + 2))


found = []
print("libpq wrapper:", pq.__impl__)
for kind in (PostgresClientQuery, PostgresQuery):
    for name, statement, values in (
        ("50 values", insert(50), [1] * 50),
        ("51 values", insert(51), [1] * 51),
        ("4096 bytes", padded(4096), [1]),
        ("4097 bytes", padded(4097), [1]),
    ):
        reads, each = times_read(kind, statement, values)
        print(f"{kind.__name__:20} {name:10} read {reads:3} times of 100, {each} us each")
        found.append(reads)
raise SystemExit(0 if found == [1, 100, 1, 100] * 2 else 1)
PYTHON
venv/bin/python see.py
