"""A row or two for every table, with the columns that the table had when it was made.

Migrations run over them. A table that is new needs a row here; what a later migration adds does not.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
IMAGE, TRASHED, UPLOAD, BATCH, GENERATION, RETRY, COLLECTION, SHARE = (
    uuid.UUID(f"01937a5e-0000-7000-8000-00000000000{number}") for number in range(1, 9)
)
TEAM, USER, OWNER, PROGRAM, POOL, WALLET, SPENT = 11, 12, 13, 14, 15, 16, 17
FILE = {"media_type": "image/png", "width": 1344, "height": 768, "bytes": 1_000, "sha256": "ab" * 32}
MADE = {"team_id": TEAM, "owner_id": OWNER, "key": "images/one.png", **FILE}

ROWS: dict[str, list[dict[str, Any]]] = {
    "auth.Group": [{"id": 1, "name": "readers"}],
    "contenttypes.ContentType": [{"id": 1, "app_label": "teams", "model": "team"}],
    "auth.Permission": [{"id": 1, "name": "Can view team", "content_type_id": 1, "codename": "view_team"}],
    "teams.User": [{"id": USER, "email": "mei@studio.example", "password": "!", "preferences": {"a": [1]}}],
    "teams.User_groups": [{"user_id": USER, "group_id": 1}],
    "teams.User_user_permissions": [{"user_id": USER, "permission_id": 1}],
    "teams.Team": [{"id": TEAM, "name": "Studio", "slug": "studio", "time_zone": "Europe/Berlin"}],
    "teams.Membership": [
        {"id": OWNER, "team_id": TEAM, "user_id": USER, "role": "owner"},
        {"id": PROGRAM, "team_id": TEAM, "kind": "program", "name": "nightly"},
    ],
    "teams.Invitation": [{"id": 1, "team_id": TEAM, "token_hash": "c" * 64, "used": 1, "expires_at": NOW}],
    "teams.InvitationUse": [{"invitation_id": 1, "membership_id": OWNER, "granted": 500}],
    "teams.Token": [{"id": 1, "membership_id": OWNER, "name": "laptop", "token_hash": "d" * 64, "hint": "…"}],
    "upstreams.Upstream": [{"id": 1, "name": "own", "base_url": "https://api", "encrypted_key": "gAAA"}],
    "upstreams.Balance": [{"upstream_id": 1, "amount": "12.5000"}],
    "credits.Account": [
        {"id": SPENT, "kind": "spent", "balance": 800},
        {"id": POOL, "kind": "pool", "team_id": TEAM, "balance": 9_000},
        {"id": WALLET, "kind": "wallet", "membership_id": OWNER, "balance": 5_000, "held": 300},
    ],
    "credits.Transfer": [
        {
            "id": 1,
            "source_id": WALLET,
            "target_id": SPENT,
            "kind": "charge",
            "amount": 800,
            "reference": GENERATION,
            "team_id": TEAM,
            "member_id": OWNER,
            "model": "ultra",
        }
    ],
    "credits.Hold": [
        {
            "account_id": WALLET,
            "member_id": OWNER,
            "amount": 800,
            "reference": GENERATION,
            "state": "settled",
            "transfer_id": 1,
            "closed_at": NOW,
        },
        {"account_id": WALLET, "member_id": OWNER, "amount": 300, "reference": RETRY},
    ],
    "credits.RolledUp": [{"team_id": TEAM, "time_zone": "Europe/Berlin", "until": date(2026, 11, 20)}],
    "credits.DayOfModel": [
        {"team_id": TEAM, "day": NOW.date(), "kind": "charge", "amount": 800, "lines": 1, "model": "ultra"}
    ],
    "credits.DayOfMember": [
        {"team_id": TEAM, "day": NOW.date(), "kind": "charge", "amount": 800, "lines": 1, "member_id": OWNER}
    ],
    "library.Image": [
        {"id": IMAGE, "prompt": "a quiet harbour at dawn", "title": "港の朝", "seed": 7, **MADE},
        {"id": TRASHED, "trashed_at": NOW, "generation": GENERATION, **MADE},
    ],
    "library.Upload": [{"id": UPLOAD, "name": "sketch.png", **MADE}],
    "library.SearchEntry": [
        {
            "image_id": TRASHED,
            "team_id": TEAM,
            "owner_id": OWNER,
            "visibility": "team",
            "created_at": NOW,
            "document": "| lighthouse |",
        }
    ],
    "library.Tag": [{"id": 1, "team_id": TEAM, "name": "Harbour", "key": "harbour"}],
    "library.Tagged": [{"tag_id": 1, "image_id": IMAGE}],
    "library.Collection": [{"id": COLLECTION, "team_id": TEAM, "owner_id": OWNER, "name": "Spring"}],
    "library.Collected": [{"collection_id": COLLECTION, "image_id": IMAGE}],
    "library.Favourite": [{"member_id": OWNER, "image_id": IMAGE}],
    "library.SavedSearch": [{"team_id": TEAM, "owner_id": OWNER, "name": "Boats", "address": "q=boat"}],
    "library.Share": [{"id": SHARE, "team_id": TEAM, "maker_id": OWNER, "image_id": IMAGE, "views": 3}],
    "library.ShareImage": [{"share_id": SHARE, "image_id": IMAGE}],
    "library.Deed": [{"team_id": TEAM, "member_id": OWNER, "act": "tag", "images": [str(IMAGE)]}],
    "library.Archive": [{"team_id": TEAM, "member_id": OWNER, "images": [str(IMAGE)]}],
    "library.DiscardedObject": [{"key": "images/gone.png"}],
    "jobs.Price": [{"model": "ultra", "team_id": TEAM, "amount": 800}],
    "jobs.ModelRule": [{"team_id": TEAM, "model": "ultra", "roles": ["owner"]}],
    "jobs.Batch": [
        {
            "id": BATCH,
            "team_id": TEAM,
            "member_id": OWNER,
            "submission": BATCH,
            "model": "ultra",
            "parameters": {"prompt": "a quiet harbour at dawn"},
            "start_image_id": UPLOAD,
            "count": 2,
        }
    ],
    "jobs.Generation": [
        {
            "id": key,
            "batch_id": BATCH,
            "team_id": TEAM,
            "member_id": OWNER,
            "position": position,
            "model": "ultra",
            "price": 800,
            "stamp": 10,
            "tries": 2,
            "unknowns": 1,
            "called_at": NOW,
            "started_at": NOW,
            **state,
        }
        for position, (key, state) in enumerate(
            [(GENERATION, {"status": "succeeded", "ended_at": NOW, "upstream_id": 1}), (RETRY, {})]
        )
    ],
    "jobs.Style": [
        {"image_id": IMAGE, "team_id": TEAM, "upstream_id": 1, "made_with": "s", "remote_id": "r-1"}
    ],
    "jobs.SavedPrompt": [
        {"team_id": TEAM, "owner_id": OWNER, "name": "Foxes", "values": {"prompt": "a fox"}}
    ],
    "jobs.PromptHelp": [
        {
            "team_id": TEAM,
            "member_id": OWNER,
            "submission": BATCH,
            "task": "english",
            "text": "ein Fuchs",
            "price": 20,
            "upstream_id": 1,
        }
    ],
    "jobs.BatchInput": [{"batch_id": BATCH, "role": "mask", "upload_id": UPLOAD}],
    "jobs.Attempt": [{"generation_id": GENERATION, "number": 1, "upstream_id": 1, "outcome": "ok"}],
    "office.Allowance": [{"membership_id": OWNER, "amount": 5_000, "first_month": date(2026, 11, 1)}],
    "office.AuditEntry": [{"id": 1, "team_id": TEAM, "act": "team_made", "subject": "Studio"}],
    "office.Notice": [{"id": 1, "kind": "wallet_low", "about": str(OWNER), "team_id": TEAM}],
    "office.NoticeReader": [{"notice_id": 1, "user_id": USER}],
    "office.CreditRequest": [{"id": RETRY, "member_id": OWNER, "amount": 2_000, "note": "for spring"}],
    "office.CreditRequestMail": [{"request_id": RETRY, "user_id": USER, "is_answer": False}],
    "api.UndeliveredOrder": [
        {"token_id": 1, "fingerprint": "f" * 64, "batch": BATCH, "call": RETRY, "held_until": NOW}
    ],
    "api.IdempotentCall": [{"membership_id": OWNER, "key": "k-1", "fingerprint": "e" * 64, "status": 201}],
}
