"""The part of the office's benchmark that asks the database: `fill FILE LINES MEMBERS DAYS`, and `audit`."""

from __future__ import annotations

import json
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from generations.credits import daily_totals, integrity_check
from generations.credits.models import Account
from generations.office.members import service as members_service
from generations.teams.models import Membership, Role, Team, User

MODELS = ("core", "core", "core", "sd3.5-large", "sd3.5-large", "ultra", "sd3.5-large-turbo", "sdxl-1.0")
PRICES = (300, 300, 300, 650, 650, 800, 400, 90)

LINE = (
    "INSERT INTO credits_transfer (source_id, target_id, kind, amount, reference, team_id, member_id, model,"
)
CHARGES = f"""{LINE} note, created_at)
SELECT wallets.id, %(spent)s, 'charge', (%(prices)s::bigint[])[1 + i %% 8], gen_random_uuid(), %(team)s,
  wallets.membership_id, (%(models)s::text[])[1 + i %% 8], '',
  %(begin)s + (i::float / %(lines)s) * %(span)s::interval
FROM generate_series(1, %(lines)s) AS i
JOIN (SELECT id, membership_id, row_number() OVER (ORDER BY id) - 1 AS place FROM credits_account
      WHERE membership_id = ANY(%(members)s)) AS wallets
  ON wallets.place = (hashint8(i) & 2147483647) %% %(count)s
"""
HOLDS = """
INSERT INTO credits_hold
  (account_id, member_id, amount, reference, model, state, transfer_id, opened_at, closed_at)
SELECT source_id, member_id, amount, reference, model, 'settled', id,
  created_at - interval '8 s', created_at
FROM credits_transfer WHERE kind = 'charge' AND team_id = %(team)s
"""
REFUNDS = f"""{LINE} note, created_at, actor_id)
SELECT target_id, source_id, 'refund', amount, reference, team_id, member_id, model,
  'the picture was not what was asked for', created_at + interval '10 min', %(actor)s
FROM credits_transfer WHERE kind = 'charge' AND team_id = %(team)s AND id %% 97 = 0
"""
GRANTS = f"""{LINE} note, created_at, actor_id)
SELECT %(pool)s, source_id, 'grant', sum(amount) + 20000, gen_random_uuid(), %(team)s, member_id, '', '',
  %(begin)s, %(actor)s
FROM credits_transfer WHERE kind = 'charge' AND team_id = %(team)s GROUP BY source_id, member_id
"""
ISSUE = f"""{LINE} note, created_at, actor_id)
SELECT %(issued)s, %(pool)s, 'issue', sum(amount) + 500000000, gen_random_uuid(), %(team)s, NULL, '',
  'credits of the year', %(begin)s, %(actor)s
FROM credits_transfer WHERE kind = 'grant' AND team_id = %(team)s
"""
SUMS = """
UPDATE credits_account SET balance = sums.sum FROM (
  SELECT id, sum(amount) AS sum FROM (
    SELECT target_id AS id, amount FROM credits_transfer
    UNION ALL SELECT source_id, -amount FROM credits_transfer) AS ends GROUP BY id) AS sums
WHERE sums.id = credits_account.id
"""


def fill(file: str, lines: str, members: str, days: str) -> None:
    """A team with so many members and pictures in the last days; says who may look, with which cookie."""
    team = members_service.create_team("Bench")
    people = _people(team, int(members))
    begin = timezone.now() - timedelta(days=int(days))
    team.refresh_from_db()
    places = {
        "team": team.pk,
        "pool": Account.objects.get(team=team).pk,
        "spent": Account.objects.get(kind="spent").pk,
        "issued": Account.objects.get(kind="issued").pk,
        "actor": people[0].user_id,
        "members": [member.pk for member in people],
        "count": len(people),
        "lines": int(lines),
        "models": list(MODELS),
        "prices": list(PRICES),
        "begin": begin,
        "span": timezone.now() - begin,
    }
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # what is filled in here needs no check
        for statement in (CHARGES, HOLDS, REFUNDS, GRANTS, ISSUE, SUMS):
            cursor.execute(statement, places)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    filled, began = time.monotonic() - began, time.monotonic()
    closed = daily_totals.close_days()
    said = {
        "team": team.slug,
        "cookies": {name: _cookie(people[place]) for place, name in enumerate(("operator", "administrator"))},
        "filled (s)": round(filled, 1),
        "days closed": closed,
        "closing (s)": round(time.monotonic() - began, 1),
    }
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    Path(file).write_text(json.dumps(said))


def check(file: str) -> None:
    """What `audit_ledger` says."""
    began = time.monotonic()
    problems = integrity_check.problems()
    said = {"problems": problems, "audit (s)": round(time.monotonic() - began, 1)}
    Path(file).write_text(json.dumps(said))


def _people(team: Team, count: int) -> list[Membership]:
    """An operator who owns the team, an administrator who is none, and members; each with a wallet."""
    names = [f"Member {uuid.uuid4().hex[:6]} {number}" for number in range(count)]
    users = User.objects.bulk_create(
        User(email=f"member-{number}@bench.example", name=name, is_staff=number == 0)
        for number, name in enumerate(names)
    )
    roles = [Role.OWNER, Role.ADMINISTRATOR, *[Role.MEMBER] * count]
    made = Membership.objects.bulk_create(
        Membership(team=team, user=user, role=role) for user, role in zip(users, roles, strict=False)
    )
    Account.objects.bulk_create(Account(kind="wallet", membership=member) for member in made)
    return made


def _cookie(member: Membership) -> str:
    client = Client()
    client.force_login(member.user, settings.AUTHENTICATION_BACKENDS[0])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"fill": fill, "check": check}[verb](*rest)
