"""Audit entries as sentences, such as "Ana Ruiz granted 100 to Mei Tan", with a line of old values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.office.audit_log.value_labels import differences, subject_label, value_text
from generations.office.models import AuditAction, AuditEntry

# By action. A sentence is used if all its placeholders have values; `who` begins it in every language.
SENTENCES: Mapping[str, Any] = {
    AuditAction.TEAM_MADE: gettext_lazy("%(who)s made the team"),
    AuditAction.TEAM_CHANGED: gettext_lazy("%(who)s changed the settings of the team"),
    AuditAction.MEMBER_ADMITTED: gettext_lazy("%(who)s admitted %(whom)s"),
    AuditAction.MEMBER_REMOVED: gettext_lazy("%(who)s removed %(whom)s"),
    AuditAction.MEMBER_LEFT: gettext_lazy("%(who)s left the team"),
    AuditAction.ROLE_CHANGED: gettext_lazy("%(who)s changed the role of %(whom)s to %(role)s"),
    AuditAction.WEIGHT_CHANGED: gettext_lazy("%(who)s set the weight of %(whom)s to %(weight)s"),
    AuditAction.PROGRAM_MADE: gettext_lazy("%(who)s made the program %(whom)s"),
    AuditAction.INVITED: gettext_lazy("%(who)s invited %(subject)s"),
    AuditAction.INVITATION_REVOKED: gettext_lazy("%(who)s revoked the invitation of %(subject)s"),
    AuditAction.ISSUED: gettext_lazy("%(who)s issued %(amount)s to the team"),
    AuditAction.GRANTED: gettext_lazy("%(who)s granted %(amount)s to %(whom)s"),
    AuditAction.TAKEN_BACK: gettext_lazy("%(who)s took back %(amount)s from %(whom)s"),
    AuditAction.REFUNDED: gettext_lazy("%(who)s refunded %(amount)s to %(whom)s for a picture"),
    AuditAction.ADJUSTED: gettext_lazy("%(who)s adjusted the credits of %(whom)s by %(amount)s"),
    AuditAction.ALLOWANCE_SET: gettext_lazy("%(who)s set the allowance of %(whom)s to %(amount)s a month"),
    AuditAction.CAPS_SET: gettext_lazy("%(who)s set the caps of %(whom)s"),
    AuditAction.PRICE_SET: gettext_lazy("%(who)s set the price of %(subject)s to %(amount)s"),
    AuditAction.MODEL_RULE_SET: gettext_lazy("%(who)s changed who may use %(subject)s"),
    AuditAction.UPSTREAM_CHANGED: gettext_lazy("%(who)s changed the provider account %(subject)s"),
    AuditAction.PERSON_CHANGED: gettext_lazy("%(who)s changed the account of %(subject)s"),
    AuditAction.QUEUE_CHANGED: gettext_lazy("%(who)s changed the queue"),
    AuditAction.TOKEN_MADE: gettext_lazy("%(who)s made the API token %(subject)s of %(whom)s"),
    AuditAction.TOKEN_REVOKED: gettext_lazy("%(who)s revoked the API token %(subject)s of %(whom)s"),
    AuditAction.CREDITS_ASKED: gettext_lazy("%(who)s asked for %(amount)s credits"),
    AuditAction.CREDITS_DECLINED: gettext_lazy(
        "%(who)s did not grant the %(amount)s that %(whom)s asked for"
    ),
    AuditAction.CREDITS_WITHDRAWN: gettext_lazy("%(who)s withdrew the request for %(amount)s credits"),
}
# By `did` in an entry's `after`, for actions that have several variants.
VARIANT_SENTENCES = {
    "linked": gettext_lazy("%(who)s made a link on which %(subject)s sets a password"),
    "password_set": gettext_lazy("%(who)s set another password for %(subject)s"),
    "deleted": gettext_lazy("%(who)s deleted their account"),
    "joined": gettext_lazy("%(who)s joined the team"),
    "came_back": gettext_lazy("%(who)s came back to the team"),
    "added": gettext_lazy("%(who)s added the provider account %(subject)s"),
    "paused": gettext_lazy("%(who)s paused the provider account %(subject)s"),
    "drained": gettext_lazy("%(who)s drained the provider account %(subject)s"),
    "resumed": gettext_lazy("%(who)s resumed the provider account %(subject)s"),
    "switched_on": gettext_lazy("%(who)s switched on the provider account %(subject)s"),
    "switched_off": gettext_lazy("%(who)s switched off the provider account %(subject)s"),
    "served_first": gettext_lazy("%(who)s served what %(whom)s had waiting before all others"),
    "served_in_turn": gettext_lazy("%(who)s served what %(whom)s had waiting in turn again"),
    "gave_up": gettext_lazy("%(who)s gave up a picture of %(whom)s whose worker was lost, not charged"),
}
# For entries without a member and a subject.
SENTENCES_WITHOUT_MEMBER: Mapping[str, Any] = {
    AuditAction.INVITED: gettext_lazy("%(who)s made an invitation"),
    AuditAction.INVITATION_REVOKED: gettext_lazy("%(who)s revoked an invitation"),
    AuditAction.ADJUSTED: gettext_lazy("%(who)s adjusted the team credits by %(amount)s"),
}
# For one form that changed many members: `subject` says how many.
BULK_SENTENCES: Mapping[str, Any] = {
    AuditAction.GRANTED: gettext_lazy("%(who)s granted %(total)s to %(subject)s"),
    AuditAction.TAKEN_BACK: gettext_lazy("%(who)s took back %(total)s from %(subject)s"),
}
# Keys that the detail line leaves out: they repeat the sentence, or mean nothing to readers.
HIDDEN_KEYS = {"did", "generation", "kind", "pool"}
PLACEHOLDERS = re.compile(r"%\((\w+)\)s")


def sentence(entry: AuditEntry) -> str:
    """Return the sentence as plain text. Load `actor` and `member` with the entry."""
    values = _values(entry)
    return _template(entry, values) % values


def sentence_html(entry: AuditEntry) -> SafeString:
    """Return the sentence as HTML, with the name of the actor in bold."""
    values = _values(entry)
    shown: dict[str, Any] = {name: escape(value) for name, value in values.items()}
    shown["who"] = format_html("<strong>{}</strong>", values["who"])
    return mark_safe(escape(_template(entry, values)) % shown)  # noqa: S308  template and values are escaped above


def detail(entry: AuditEntry) -> str:
    """Return the detail line: the note, and values that the sentence does not contain; "" for none."""
    lines = [entry.note, *_changes(entry)]
    return ", ".join(line for line in lines if line)


def _template(entry: AuditEntry, values: dict[str, str]) -> str:
    """Return the most specific sentence; the plain label of the action if a placeholder has no value."""
    variant = VARIANT_SENTENCES.get(str(entry.after.get("did", "")))
    template = str(variant or _special(entry) or SENTENCES.get(entry.act) or "")
    if template and all(values.get(name) for name in PLACEHOLDERS.findall(template)):
        return template
    plain = "%(who)s " + str(entry.get_act_display()).replace("%", "%%")
    return f"{plain} %(whom)s" if values["whom"] else f"{plain} %(subject)s" if values["subject"] else plain


def _special(entry: AuditEntry) -> str:
    """Return the sentence of an action that depends on the changed values; "" if there is none."""
    changed = {key for key in {*entry.before, *entry.after} if entry.before.get(key) != entry.after.get(key)}
    specials: Mapping[str, Callable[[], str]] = {
        AuditAction.CAPS_SET: lambda: _cap(entry, changed.pop()) if len(changed) == 1 else "",
        AuditAction.ALLOWANCE_SET: lambda: _allowance(entry),
        AuditAction.PRICE_SET: lambda: _price(entry),
        AuditAction.TEAM_CHANGED: lambda: _team(entry, changed),
        AuditAction.PERSON_CHANGED: lambda: _program(entry, changed),
        AuditAction.TOKEN_MADE: lambda: _own_token(entry),
        AuditAction.TOKEN_REVOKED: lambda: _own_token(entry),
    }
    if special := specials.get(entry.act):  # an act of a newer version has none
        return special()
    if "total" in entry.after:
        return str(BULK_SENTENCES.get(entry.act, ""))
    return "" if entry.subject or entry.member else str(SENTENCES_WITHOUT_MEMBER.get(entry.act, ""))


def _cap(entry: AuditEntry, key: str) -> str:
    if entry.after.get(key) is None:
        return {
            "cap_per_day": _("%(who)s removed the daily cap of %(whom)s"),
            "cap_per_month": _("%(who)s removed the monthly cap of %(whom)s"),
        }.get(key, "")
    return {
        "cap_per_day": _("%(who)s set the daily cap of %(whom)s to %(cap_per_day)s"),
        "cap_per_month": _("%(who)s set the monthly cap of %(whom)s to %(cap_per_month)s"),
    }.get(key, "")


def _allowance(entry: AuditEntry) -> str:
    if not entry.after.get("amount"):
        return _("%(who)s ended the allowance of %(whom)s")
    if entry.after.get("kind") == "top_up":
        return _("%(who)s set the allowance of %(whom)s: topped up to %(amount)s a month")
    return ""


def _price(entry: AuditEntry) -> str:
    gone = "amount" in entry.before and entry.after.get("amount") is None
    return _("%(who)s took back a price of %(subject)s that was to come") if gone else ""


def _team(entry: AuditEntry, changed: set[str]) -> str:
    if changed == {"name"}:
        return _("%(who)s renamed the team to %(name)s")
    if changed == {"active"}:
        opened = bool(entry.after.get("active"))
        return (
            _("%(who)s opened the pages of the team") if opened else _("%(who)s closed the pages of the team")
        )
    return ""


def _program(entry: AuditEntry, changed: set[str]) -> str:
    return _("%(who)s renamed %(subject)s to %(name)s") if changed == {"name"} and entry.member else ""


def _own_token(entry: AuditEntry) -> str:
    if entry.actor_id is None or entry.member is None or entry.member.user_id != entry.actor_id:
        return ""
    made = entry.act == AuditAction.TOKEN_MADE
    return (
        _("%(who)s made the API token %(subject)s")
        if made
        else _("%(who)s revoked the API token %(subject)s")
    )


def _values(entry: AuditEntry) -> dict[str, str]:
    """Return the values of all placeholders. Keys of the entry never override who, whom and subject."""
    values = {key: value_text(key, value) for key, value in entry.after.items()}
    who = str(entry.actor) if entry.actor else _("A command at the server")
    whom = str(entry.member) if entry.member else ""
    return values | {"who": who, "whom": whom, "subject": subject_label(entry.subject)}


def _changes(entry: AuditEntry) -> list[str]:
    """Return the changed values that the sentence does not contain, and the old values of those it does."""
    values, special = _values(entry), _special(entry)
    in_sentence = {"state", *PLACEHOLDERS.findall(_template(entry, values))}
    hidden = HIDDEN_KEYS | {"count"} if "total" in entry.after else HIDDEN_KEYS  # the sentence says how many
    changes = [each for each in differences(entry.before, entry.after) if each.key not in hidden]
    is_special_change = (
        len(changes) == 1 and bool(special) and special not in map(str, SENTENCES_WITHOUT_MEMBER.values())
    )
    lines = []
    for change in changes:
        if not (is_special_change or change.key in in_sentence):
            lines.append(change.text if change.after != values["whom"] else "")
        elif change.before and change.key != "active":
            lines.append(_("was %(before)s") % {"before": change.before})
    return lines
