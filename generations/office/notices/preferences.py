"""Which kinds of notices a user gets, per channel: on pages, by email, both, or neither."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from generations.office.models import NoticeKind
from generations.teams.models import User
from generations.teams.permissions import ADMINISTRATORS

PAGE, EMAIL = "page", "email"
DISABLED_KEY = "notices_off"  # in User.preferences: the disabled kinds by channel
MEMBER_KINDS = (NoticeKind.WALLET_LOW, NoticeKind.CAP_REACHED, NoticeKind.CREDITS_ANSWERED)
ADMINISTRATOR_KINDS = (NoticeKind.CREDITS_ASKED, NoticeKind.POOL_LOW)
OPERATOR_KINDS = (NoticeKind.UPSTREAM_PAUSED, NoticeKind.PROVIDER_LOW)
DESCRIPTIONS = {
    NoticeKind.WALLET_LOW: _("When you have less than the limit that your team has set."),
    NoticeKind.CAP_REACHED: _("When you have used up what you may spend in a day or a month."),
    NoticeKind.CREDITS_ANSWERED: _("When you asked for credits, and they were granted or not."),
    NoticeKind.CREDITS_ASKED: _("When a member of a team that you run asks for credits."),
    NoticeKind.POOL_LOW: _("When a team that you run has little left to grant."),
    NoticeKind.UPSTREAM_PAUSED: _(
        "When a provider account is not called any more, or not for one of its models."
    ),
    NoticeKind.PROVIDER_LOW: _("When a provider account has little left."),
}


def wants(user: User, kind: str, channel: str) -> bool:
    """Whether the user gets notices of this kind on this channel. All are enabled until they are disabled."""
    return kind not in _disabled(user).get(channel, ())


def kinds_for(user: User) -> list[NoticeKind]:
    """Return the kinds of notices that the user can get, by their roles."""
    roles = set(user.memberships.filter(ended_at=None).values_list("role", flat=True))
    kinds = [
        *MEMBER_KINDS,
        *(ADMINISTRATOR_KINDS if roles & ADMINISTRATORS else ()),
        *(OPERATOR_KINDS if user.is_staff else ()),
    ]
    return [kind for kind in NoticeKind if kind in kinds]


def channels() -> list[str]:
    """Return the channels of this installation: email only if it sends mail."""
    return [PAGE, EMAIL] if settings.EMAIL_URL else [PAGE]


@transaction.atomic
def save(user: User, enabled: Mapping[str, Collection[str]]) -> None:
    """Save the enabled kinds by channel. Kinds that the page does not show to the user stay unchanged."""
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    shown, disabled = {str(kind) for kind in kinds_for(row)}, _disabled(row)
    for channel, kinds in enabled.items():
        disabled[channel] = sorted(set(disabled.get(channel, [])) - shown | (shown - set(kinds)))
    row.preferences[DISABLED_KEY] = disabled
    row.save(update_fields=["preferences"])


def _disabled(user: User) -> dict[str, list[str]]:
    """Return the disabled kinds by channel; {} if the stored value is not a dictionary."""
    stored = user.preferences.get(DISABLED_KEY)
    if not isinstance(stored, dict):
        return {}
    return {channel: stored[channel] for channel in (PAGE, EMAIL) if channel in stored}
