"""Labels for the values in audit entries: credits, roles, models and times as people read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.credits.amounts import as_text
from generations.credits.periods import Month
from generations.office.models import AuditAction
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Role, Scope

CREDIT_KEYS = frozenset(
    {
        "amount",
        "balance",
        "cap",
        "cap_per_day",
        "cap_per_month",
        "credits",
        "helper_cap",
        "helper_price",
        "low_pool",
        "low_wallet",
        "pool",
        "total",
    }
)
MODEL_KEYS = frozenset({"model", "models", "models_served"})
MAX_NAMED = 6  # members or models in one value
KEY_LABELS = {
    "active": gettext_lazy("active"),
    "although": gettext_lazy("although its test found:"),
    "amount": gettext_lazy("amount"),
    "balance": gettext_lazy("balance"),
    "base_url": gettext_lazy("base URL"),
    "proxy": gettext_lazy("proxy"),
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
    "helper_cap": gettext_lazy("daily cap of the prompt helper"),
    "helper_cost": gettext_lazy("cost of the prompt helper"),
    "helper_model": gettext_lazy("chat model for prompts"),
    "helper_price": gettext_lazy("price of the prompt helper"),
    "is_active": gettext_lazy("active"),
    "is_staff": gettext_lazy("operator"),
    "key": gettext_lazy("key"),
    "kind": gettext_lazy("kind"),
    "members": gettext_lazy("members:"),
    "model": gettext_lazy("model"),
    "limit_calls": gettext_lazy("calls"),
    "limit_window": gettext_lazy("in seconds"),
    "low_balance": gettext_lazy("low balance"),
    "max_in_flight": gettext_lazy("at the same time"),
    "orders": gettext_lazy("priority by model"),
    "private_results": gettext_lazy("results in private networks"),
    "result_hosts": gettext_lazy("hosts of results"),
    "systems": gettext_lazy("systems"),
    "unit": gettext_lazy("unit"),
    "unit_value": gettext_lazy("worth of the unit"),
    "wire_names": gettext_lazy("names of models there"),
    "low_pool": gettext_lazy("low team credits"),
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
# Labels of the actions in the filter.
ACTION_LABELS: Mapping[str, Any] = {
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
    AuditAction.UPSTREAM_CHANGED: gettext_lazy("Provider account"),
    AuditAction.PERSON_CHANGED: gettext_lazy("Account of a person"),
    AuditAction.QUEUE_CHANGED: gettext_lazy("Queue"),
    AuditAction.TOKEN_MADE: gettext_lazy("API token made"),
    AuditAction.TOKEN_REVOKED: gettext_lazy("API token revoked"),
    AuditAction.CREDITS_ASKED: gettext_lazy("Credits asked for"),
    AuditAction.CREDITS_DECLINED: gettext_lazy("Credits not granted"),
    AuditAction.CREDITS_WITHDRAWN: gettext_lazy("Request for credits withdrawn"),
}
VALUE_LABELS = {
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
    """A changed value, as people read it."""

    key: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """The value with its label, and the previous value if there was one."""
        parts = {"name": key_label(self.key), "before": self.before, "after": self.after}
        if not self.before:
            return _("%(name)s %(after)s") % parts
        if not self.after:
            return _("%(name)s was %(before)s") % parts
        return _("%(name)s %(after)s, was %(before)s") % parts


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the changed values in the order in which they were recorded."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return [
        Difference(
            key,
            value_text(key, before[key]) if key in before else "",
            value_text(key, after[key]) if key in after else "",
        )
        for key in keys
    ]


def key_label(key: str) -> str:
    """Return the label of a key."""
    return str(KEY_LABELS.get(key, key.replace("_", " ")))


def subject_label(subject: str) -> str:
    """Return the title of a model; any other subject unchanged."""
    model = catalogue_registry.MODELS.get(subject)
    return model.title if model else subject


def value_text(key: str, value: Any) -> str:
    """Return the text of a value of any type, since entries outlive the code that wrote them."""
    if value is None or value == "":
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int) and key in CREDIT_KEYS:
        return as_text(value)
    if isinstance(value, list):
        return _list_text(key, value)
    if isinstance(value, dict):
        return _pairs_text(value.items())
    return _string_text(key, str(value))


def _list_text(key: str, values: list[Any]) -> str:
    """Return the texts of all; members, who are recorded as key, name and amount, with their credits."""
    if key == "members":
        return _pairs_text([each[1:] for each in values if isinstance(each, list) and len(each) == 3])
    return ", ".join(value_text(key, each) for each in values) or _("none")


def _pairs_text(values: Collection[Sequence[Any]]) -> str:
    """Return models or members with their credits; only the first MAX_NAMED of many."""
    pairs = [f"{subject_label(str(each))} {value_text('amount', amount)}" for each, amount in values]
    if len(pairs) > MAX_NAMED:
        more = _("and %(count)s more") % {"count": len(pairs) - MAX_NAMED}
        return ", ".join([*pairs[:MAX_NAMED], more])
    return ", ".join(pairs) or _("none")


def _string_text(key: str, text: str) -> str:
    if key in {"role", "roles"} and text in Role.values:
        return str(Role(text).label)
    if key == "scopes" and text in Scope.values:
        return str(Scope(text).label)
    if key.endswith(("_at", "_from", "_until")) and (time := _time_text(text)):
        return time
    if key.endswith("_month"):
        return _month_text(text)
    return (
        str(VALUE_LABELS[text])
        if text in VALUE_LABELS
        else subject_label(text)
        if key in MODEL_KEYS
        else text
    )


def _month_text(text: str) -> str:
    """Return a recorded month such as 2026-11 by its name; any other text unchanged."""
    try:
        return date_format(Month.named(text).first, "YEAR_MONTH_FORMAT")
    except ValueError:
        return text


def _time_text(text: str) -> str:
    """Return a recorded time in the current time zone; "" if the text is no time."""
    try:
        parsed = parse_datetime(text)
    except ValueError:
        return ""
    return date_format(localtime(parsed), "DATETIME_FORMAT") if parsed and is_aware(parsed) else ""


def action_choices() -> list[tuple[str, str]]:
    """Return all actions with their labels, sorted by label."""
    return sorted(
        ((str(action), str(ACTION_LABELS.get(action, action))) for action in AuditAction),
        key=lambda pair: pair[1],
    )
