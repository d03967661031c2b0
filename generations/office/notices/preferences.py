"""What of the notices a person wants to be told, and how: on the page, by email, both, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from generations.office.models import NoticeKind
from generations.teams.models import User
from generations.teams.permissions import KEEPERS

PAGE, EMAIL = "page", "email"
OFF = "notices_off"  # in User.preferences: kinds by way, those that are switched off
OF_MEMBERS = (NoticeKind.WALLET_LOW, NoticeKind.CAP_REACHED)
OF_KEEPERS = (NoticeKind.POOL_LOW,)
OF_OPERATORS = (NoticeKind.UPSTREAM_PAUSED, NoticeKind.PROVIDER_LOW)
EXPLAINED = {
    NoticeKind.WALLET_LOW: _("When you have less than the mark of your team."),
    NoticeKind.CAP_REACHED: _("When you have used up what you may spend in a day or a month."),
    NoticeKind.POOL_LOW: _("When a team that you run has little left to grant."),
    NoticeKind.UPSTREAM_PAUSED: _("When a provider account is not called any more."),
    NoticeKind.PROVIDER_LOW: _("When a provider account has little left."),
}


def wants(user: User, kind: str, way: str) -> bool:
    """Whether the person is told of such notices in that way; everything is on until it is switched off."""
    return kind not in _off(user).get(way, ())


def kinds_for(user: User) -> list[NoticeKind]:
    """The kinds that can concern the person at all."""
    roles = set(user.memberships.filter(ended_at=None).values_list("role", flat=True))
    kinds = [*OF_MEMBERS, *(OF_KEEPERS if roles & KEEPERS else ()), *(OF_OPERATORS if user.is_staff else ())]
    return [kind for kind in NoticeKind if kind in kinds]


def ways() -> list[str]:
    """How this portal can tell people."""
    return [PAGE, EMAIL] if settings.EMAIL_URL else [PAGE]


@transaction.atomic
def choose(user: User, wanted: Mapping[str, Collection[str]]) -> None:
    """Keep which kinds the person wants, by way; what is not shown to them stays as it was."""
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    shown, off = {str(kind) for kind in kinds_for(row)}, _off(row)
    for way, kinds in wanted.items():
        off[way] = sorted(set(off.get(way, [])) - shown | (shown - set(kinds)))
    row.preferences[OFF] = off
    row.save(update_fields=["preferences"])


def _off(user: User) -> dict[str, list[str]]:
    """What is switched off, by way; nothing if what is kept there is something else."""
    kept = user.preferences.get(OFF)
    return {way: kept[way] for way in (PAGE, EMAIL) if way in kept} if isinstance(kept, dict) else {}
