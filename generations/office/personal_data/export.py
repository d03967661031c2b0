"""Export what the portal knows of a person: a zip of JSON files, made while it is sent.

Only the person's own data: neither what others did nor who they are. Pictures themselves are downloaded from
the library; here is what is known of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zipfile import ZIP_DEFLATED

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.utils import timezone
from zipstream import ZipStream

from generations.credits.amounts import HUNDREDTHS
from generations.credits.models import Transfer
from generations.jobs.models import Batch, PromptHelp, SavedPrompt
from generations.library.maintenance.check import in_batches
from generations.library.maintenance.export import FIELDS as IMAGE_FIELDS
from generations.library.models import Collection, Favourite, Image, SavedSearch, Share, Upload
from generations.office.models import AuditEntry, CreditRequest
from generations.teams.models import Membership, Token, User

UPLOAD_FIELDS = ("id", "name", "media_type", "width", "height", "bytes", "sha256", "created_at")
COLLECTION_FIELDS = ("id", "name", "visibility", "created_at", "changed_at")
SEARCH_FIELDS = ("id", "name", "address", "visibility", "created_at")
PROMPT_FIELDS = ("id", "name", "values", "visibility", "created_at")
HELP_FIELDS = ("id", "task", "text", "answers", "status", "created_at")
SHARE_FIELDS = (
    "id",
    "image_id",
    "collection_id",
    "is_selection",
    "title",
    "shows_prompt",
    "views",
    "created_at",
    "expires_at",
    "revoked_at",
)
TOKEN_FIELDS = ("name", "hint", "scopes", "models", "created_at", "last_used_at", "expires_at", "revoked_at")
BATCH_FIELDS = ("id", "model", "parameters", "start_image_id", "count", "visibility", "created_at")
GENERATION_FIELDS = ("id", "position", "status", "reason", "created_at", "ended_at")
CREDIT_REQUEST_FIELDS = ("note", "state", "answer", "asked_at", "closed_at")
MEMBERSHIP_FIELDS = ("role", "joined_at", "seen_at", "ended_at")

Document = dict[str, Any]


def chunks(user: User) -> Iterator[bytes]:
    """Yield the bytes of the zip."""
    files: dict[str, Iterable[Document]] = {
        "teams": _documents(_memberships(user), _membership),
        "pictures": _documents(_images(user), _image),
        "requests": _documents(_batches(user), _batch),
        "start-images": _documents(_owned(Upload, user), _with(UPLOAD_FIELDS)),
        "collections": _documents(_owned(Collection, user), _with(COLLECTION_FIELDS)),
        "saved-searches": _documents(_owned(SavedSearch, user), _with(SEARCH_FIELDS)),
        "saved-prompts": _documents(_owned(SavedPrompt, user), _with(PROMPT_FIELDS)),
        "prompt-helper": _documents(PromptHelp.objects.filter(member__user=user), _with(HELP_FIELDS)),
        "favourites": _documents(Favourite.objects.filter(member__user=user), _with(("image_id",))),
        "shared-links": _documents(Share.objects.filter(maker__user=user), _with(SHARE_FIELDS)),
        "api-tokens": _documents(Token.objects.filter(membership__user=user), _with(TOKEN_FIELDS)),
        "credits": _documents(_transfers(user), _transfer),
        "requests-for-credits": _documents(_credit_requests(user), _credit_request),
        "changes": _documents(AuditEntry.objects.filter(actor=user), _with(("act", "at", "address"))),
    }
    zipped = ZipStream(compress_type=ZIP_DEFLATED)
    zipped.add(_as_json(_account(user)).encode(), "account.json")
    for name, documents in files.items():
        zipped.add(_array(documents), f"{name}.json")
    yield from zipped


def _account(user: User) -> Document:
    addresses = EmailAddress.objects.filter(user=user).order_by("pk")
    sessions = UserSession.objects.filter(user=user).order_by("pk")
    return {
        "exported_at": timezone.now(),
        "email": user.email,
        "name": user.name,
        "joined_at": user.joined_at,
        "last_login": user.last_login,
        "is_operator": user.is_staff,
        "time_zone": user.time_zone,
        "language": user.language,
        "default_visibility": user.default_visibility,
        "preferences": user.preferences,
        "email_addresses": list(addresses.values("email", "verified", "primary")),
        "sessions": list(sessions.values("ip", "user_agent", "created_at", "last_seen_at")),
    }


def _memberships(user: User) -> QuerySet[Membership]:
    return Membership.objects.filter(user=user).select_related("team")


def _membership(row: Membership) -> Document:
    return {"team": row.team.name, "address": row.team.slug} | _fields(row, MEMBERSHIP_FIELDS)


def _images(user: User) -> QuerySet[Image]:
    rows = Image.objects.filter(owner__user=user).select_related("team")
    return rows.prefetch_related("image_tags__tag")


def _image(row: Image) -> Document:
    tags = sorted(each.tag.name for each in row.image_tags.all())
    return {"team": row.team.slug, "tags": tags} | _fields(row, IMAGE_FIELDS)


def _batches(user: User) -> QuerySet[Batch]:
    return Batch.objects.filter(member__user=user).select_related("team").prefetch_related("generations")


def _batch(row: Batch) -> Document:
    generations = [
        _fields(each, GENERATION_FIELDS) | {"price": each.price / HUNDREDTHS}
        for each in row.generations.all()
    ]
    return {"team": row.team.slug, "pictures": generations} | _fields(row, BATCH_FIELDS)


def _transfers(user: User) -> QuerySet[Transfer]:
    wallets = Q(source__membership__user=user) | Q(target__membership__user=user)
    return Transfer.objects.filter(wallets).select_related("team", "target__membership")


def _transfer(row: Transfer) -> Document:
    received = row.target.membership is not None
    return {
        "id": row.pk,
        "at": row.created_at,
        "team": row.team.slug if row.team else None,
        "kind": row.kind,
        "credits": (row.amount if received else -row.amount) / HUNDREDTHS,
        "model": row.model,
        "note": row.note,
        "reference": row.reference,
    }


def _credit_requests(user: User) -> QuerySet[CreditRequest]:
    return CreditRequest.objects.filter(member__user=user).select_related("member__team")


def _credit_request(row: CreditRequest) -> Document:
    amounts = {"credits": row.amount / HUNDREDTHS, "granted": (row.granted or 0) / HUNDREDTHS}
    return {"team": row.member.team.slug} | amounts | _fields(row, CREDIT_REQUEST_FIELDS)


def _owned(model: Any, user: User) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(owner__user=user)
    return rows


def _with(names: Iterable[str]) -> Callable[[Any], Document]:
    return lambda row: _fields(row, names)


def _fields(row: Any, names: Iterable[str]) -> Document:
    return {name.removesuffix("_id"): getattr(row, name) for name in names}


def _documents(rows: QuerySet[Any], document: Callable[[Any], Document]) -> Iterator[Document]:
    return (document(row) for batch in in_batches(rows) for row in batch)


def _array(documents: Iterable[Document]) -> Iterator[bytes]:
    """Yield a JSON array, a line for each document."""
    separator = "["
    for document in documents:
        yield f"{separator}\n{_as_json(document)}".encode()
        separator = ","
    yield b"\n]\n" if separator == "," else b"[]\n"


def _as_json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
