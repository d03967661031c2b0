"""How the values of a change are said: credits as credits, roles and models by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.credits.amounts import as_text
from generations.office.models import AuditAction
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Role, Scope

CREDITS = frozenset(
    {
        *("amount", "credits", "cap_per_day", "cap_per_month", "low_wallet", "low_pool", "balance"),
        *("pool", "total", "cap"),
    }
)
MODELS = frozenset({"model", "models", "models_served"})
FEW = 6  # of many that are named
NAMES = {
    "active": gettext_lazy("active"),
    "amount": gettext_lazy("amount"),
    "balance": gettext_lazy("balance"),
    "base_url": gettext_lazy("base URL"),
    "cap": gettext_lazy("cap"),
    "cap_per_day": gettext_lazy("daily cap"),
    "cap_per_month": gettext_lazy("monthly cap"),
    "costs": gettext_lazy("costs"),
    "count": gettext_lazy("pictures"),
    "credits": gettext_lazy("starting credits"),
    "draining": gettext_lazy("draining"),
    "email": gettext_lazy("email"),
    "enabled": gettext_lazy("enabled"),
    "expires_at": gettext_lazy("good until"),
    "first_month": gettext_lazy("from"),
    "generation": gettext_lazy("picture"),
    "is_active": gettext_lazy("active"),
    "is_staff": gettext_lazy("operator"),
    "key": gettext_lazy("key"),
    "kind": gettext_lazy("kind"),
    "members": gettext_lazy("members:"),
    "model": gettext_lazy("model"),
    "limit_calls": gettext_lazy("calls"),
    "limit_window": gettext_lazy("in seconds"),
    "low_balance": gettext_lazy("low balance"),
    "low_pool": gettext_lazy("low pool"),
    "low_wallet": gettext_lazy("low credits"),
    "models": gettext_lazy("models"),
    "models_served": gettext_lazy("models"),
    "name": gettext_lazy("name"),
    "order": gettext_lazy("order"),
    "pace_account": gettext_lazy("pace shared with"),
    "paused": gettext_lazy("paused"),
    "role": gettext_lazy("role"),
    "roles": gettext_lazy("roles"),
    "scopes": gettext_lazy("scopes"),
    "slug": gettext_lazy("address"),
    "time_zone": gettext_lazy("time zone"),
    "uses": gettext_lazy("uses"),
    "valid_from": gettext_lazy("from"),
    "weight": gettext_lazy("weight"),
}
# What each act is called in a list to choose from.
TITLES: Mapping[str, Any] = {
    AuditAction.TEAM_MADE: gettext_lazy("Team made"),
    AuditAction.TEAM_CHANGED: gettext_lazy("Team settings"),
    AuditAction.MEMBER_ADMITTED: gettext_lazy("Member came in"),
    AuditAction.MEMBER_REMOVED: gettext_lazy("Member removed"),
    AuditAction.MEMBER_LEFT: gettext_lazy("Member left"),
    AuditAction.ROLE_CHANGED: gettext_lazy("Role"),
    AuditAction.WEIGHT_CHANGED: gettext_lazy("Weight in the queue"),
    AuditAction.PROGRAM_MADE: gettext_lazy("Program made"),
    AuditAction.INVITED: gettext_lazy("Invitation made"),
    AuditAction.INVITATION_REVOKED: gettext_lazy("Invitation revoked"),
    AuditAction.ISSUED: gettext_lazy("Credits issued"),
    AuditAction.GRANTED: gettext_lazy("Credits granted"),
    AuditAction.TAKEN_BACK: gettext_lazy("Credits taken back"),
    AuditAction.REFUNDED: gettext_lazy("Refund"),
    AuditAction.ADJUSTED: gettext_lazy("Adjustment"),
    AuditAction.ALLOWANCE_SET: gettext_lazy("Allowance"),
    AuditAction.CAPS_SET: gettext_lazy("Caps"),
    AuditAction.PRICE_SET: gettext_lazy("Price"),
    AuditAction.MODEL_RULE_SET: gettext_lazy("Who may use a model"),
    AuditAction.UPSTREAM_CHANGED: gettext_lazy("Upstream"),
    AuditAction.PERSON_CHANGED: gettext_lazy("Account of a person"),
    AuditAction.QUEUE_CHANGED: gettext_lazy("Queue"),
    AuditAction.TOKEN_MADE: gettext_lazy("API token made"),
    AuditAction.TOKEN_REVOKED: gettext_lazy("API token revoked"),
}
WORDS = {
    "kept": gettext_lazy("kept secret"),
    "replaced": gettext_lazy("replaced"),
    "add": gettext_lazy("added each month"),
    "top_up": gettext_lazy("topped up each month"),
    "open": gettext_lazy("open"),
    "paused": gettext_lazy("paused by what it answered"),
    "paused_by_hand": gettext_lazy("paused by hand"),
    "draining": gettext_lazy("draining"),
}


@dataclass(frozen=True)
class Difference:
    """One value that changed, as people read it."""

    key: str
    before: str
    after: str

    @property
    def words(self) -> str:
        """The value with its name, and what it was if it was anything."""
        named = {"name": name(self.key), "before": self.before, "after": self.after}
        if not self.before:
            return _("%(name)s %(after)s") % named
        if not self.after:
            return _("%(name)s was %(before)s") % named
        return _("%(name)s %(after)s, was %(before)s") % named


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What is not as it was, in the order in which it was written."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return [
        Difference(
            key,
            said(key, before[key]) if key in before else "",
            said(key, after[key]) if key in after else "",
        )
        for key in keys
    ]


def name(key: str) -> str:
    """What people call a value."""
    return str(NAMES.get(key, key.replace("_", " ")))


def title(subject: str) -> str:
    """What people call a model; any other subject is its own name."""
    declared = catalogue_registry.MODELS.get(subject)
    return declared.title if declared else subject


def said(key: str, value: Any) -> str:
    """A value as people read it; of any type, since the log outlives the code that wrote it."""
    if value is None or value == "":
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int) and key in CREDITS:
        return as_text(value)
    if isinstance(value, list):
        return ", ".join(said(key, each) for each in value) or _("none")
    if isinstance(value, dict):
        return _pairs(value)
    return _word(key, str(value))


def _pairs(values: Mapping[str, Any]) -> str:
    """Models or members, each with its credits; the first few of many."""
    said_ones = [f"{title(str(each))} {said('amount', amount)}" for each, amount in values.items()]
    if len(said_ones) > FEW:
        more = _("and %(count)s more") % {"count": len(said_ones) - FEW}
        return ", ".join([*said_ones[:FEW], more])
    return ", ".join(said_ones) or _("none")


def _word(key: str, text: str) -> str:
    if key in {"role", "roles"} and text in Role.values:
        return str(Role(text).label)
    if key == "scopes" and text in Scope.values:
        return str(Scope(text).label)
    if key.endswith(("_at", "_from", "_until")) and (moment := _moment(text)):
        return moment
    return str(WORDS[text]) if text in WORDS else title(text) if key in MODELS else text


def _moment(text: str) -> str:
    """A time as the log keeps it, where the reader is; nothing if it is none."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return ""
    return date_format(localtime(found), "DATETIME_FORMAT") if found and is_aware(found) else ""


def acts() -> list[tuple[str, str]]:
    """Every act with its title, as a list to choose from, in the order of the titles."""
    return sorted(((str(act), str(TITLES.get(act, act))) for act in AuditAction), key=lambda pair: pair[1])
