"""The audit log in sentences: "Ana Ruiz granted 100 to Mei Tan", and under it why, or what it was before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.office.audit_log.value_labels import differences, said, title
from generations.office.models import AuditAction

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

    from generations.office.models import AuditEntry

# By act: what is said if all its words are known. `who` begins every sentence, in every language.
SENTENCES: Mapping[str, Words] = {
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
    AuditAction.ISSUED: gettext_lazy("%(who)s issued %(amount)s to the pool"),
    AuditAction.GRANTED: gettext_lazy("%(who)s granted %(amount)s to %(whom)s"),
    AuditAction.TAKEN_BACK: gettext_lazy("%(who)s took back %(amount)s from %(whom)s"),
    AuditAction.REFUNDED: gettext_lazy("%(who)s refunded %(amount)s to %(whom)s for a picture"),
    AuditAction.ADJUSTED: gettext_lazy("%(who)s adjusted the credits of %(whom)s by %(amount)s"),
    AuditAction.ALLOWANCE_SET: gettext_lazy("%(who)s set the allowance of %(whom)s to %(amount)s a month"),
    AuditAction.CAPS_SET: gettext_lazy("%(who)s set the caps of %(whom)s"),
    AuditAction.PRICE_SET: gettext_lazy("%(who)s set the price of %(subject)s to %(amount)s"),
    AuditAction.MODEL_RULE_SET: gettext_lazy("%(who)s changed who may use %(subject)s"),
    AuditAction.UPSTREAM_CHANGED: gettext_lazy("%(who)s changed the upstream %(subject)s"),
    AuditAction.PERSON_CHANGED: gettext_lazy("%(who)s changed the account of %(subject)s"),
    AuditAction.QUEUE_CHANGED: gettext_lazy("%(who)s changed the queue"),
    AuditAction.TOKEN_MADE: gettext_lazy("%(who)s made the API token %(subject)s of %(whom)s"),
    AuditAction.TOKEN_REVOKED: gettext_lazy("%(who)s revoked the API token %(subject)s of %(whom)s"),
}
# What is said where the act is one of several of its kind: `did` in the entry's `after` names it.
DEEDS = {
    "linked": gettext_lazy("%(who)s made a link on which %(subject)s sets a password"),
    "password_set": gettext_lazy("%(who)s set another password for %(subject)s"),
    "joined": gettext_lazy("%(who)s joined the team"),
    "came_back": gettext_lazy("%(who)s came back to the team"),
    "added": gettext_lazy("%(who)s added the upstream %(subject)s"),
    "paused": gettext_lazy("%(who)s paused the upstream %(subject)s"),
    "drained": gettext_lazy("%(who)s drained the upstream %(subject)s"),
    "resumed": gettext_lazy("%(who)s resumed the upstream %(subject)s"),
    "served_first": gettext_lazy("%(who)s served what %(whom)s had waiting before all others"),
    "served_in_turn": gettext_lazy("%(who)s served what %(whom)s had waiting in turn again"),
    "gave_up": gettext_lazy("%(who)s gave up a picture of %(whom)s whose worker was lost, not charged"),
}
# What is said where it was done to nobody in particular.
OF_NOBODY: Mapping[str, Words] = {
    AuditAction.INVITED: gettext_lazy("%(who)s made an invitation"),
    AuditAction.INVITATION_REVOKED: gettext_lazy("%(who)s revoked an invitation"),
    AuditAction.ADJUSTED: gettext_lazy("%(who)s adjusted the pool by %(amount)s"),
}
# What is said where one form did it to many: `subject` says how many.
TO_MANY: Mapping[str, Words] = {
    AuditAction.GRANTED: gettext_lazy("%(who)s granted %(total)s to %(subject)s"),
    AuditAction.TAKEN_BACK: gettext_lazy("%(who)s took back %(total)s from %(subject)s"),
}
# What a second line would only repeat, or say in a way that nobody reads.
UNSAID = {"did", "kind", "pool"}
PLACES = re.compile(r"%\((\w+)\)s")


def sentence(entry: AuditEntry) -> str:
    """Who did what, as plain text; its actor and member should come with the entry."""
    words = _words(entry)
    return _template(entry, words) % words


def marked(entry: AuditEntry) -> SafeString:
    """The same for a page, with the name of who did it in bold."""
    words = _words(entry)
    shown: dict[str, Any] = {name: escape(value) for name, value in words.items()}
    shown["who"] = format_html("<strong>{}</strong>", words["who"])
    return mark_safe(escape(_template(entry, words)) % shown)  # noqa: S308  every word of it is escaped above


def detail(entry: AuditEntry) -> str:
    """The second line: the note, and what it was before; nothing if there is nothing to add."""
    lines = [entry.note, *_was(entry)]
    return ", ".join(line for line in lines if line)


def _template(entry: AuditEntry, words: dict[str, str]) -> str:
    """The sentence that fits, with places for its words; the plain name of the act where one is missing."""
    did = DEEDS.get(str(entry.after.get("did", ""))) or _special(entry) or SENTENCES.get(entry.act)
    template = str(did or "")
    if template and all(words.get(name) for name in PLACES.findall(template)):
        return template
    plain = "%(who)s " + str(entry.get_act_display()).replace("%", "%%")
    return f"{plain} %(whom)s" if words["whom"] else f"{plain} %(subject)s" if words["subject"] else plain


def _special(entry: AuditEntry) -> str:
    """Acts whose sentence depends on what changed: one cap, the name of a team, an allowance that ended."""
    changed = {key for key in {*entry.before, *entry.after} if entry.before.get(key) != entry.after.get(key)}
    of = {
        AuditAction.CAPS_SET: lambda: _cap(entry, changed.pop()) if len(changed) == 1 else "",
        AuditAction.ALLOWANCE_SET: lambda: _allowance(entry),
        AuditAction.PRICE_SET: lambda: _price(entry),
        AuditAction.TEAM_CHANGED: lambda: _team(entry, changed),
        AuditAction.PERSON_CHANGED: lambda: _program(entry, changed),
        AuditAction.TOKEN_MADE: lambda: _own_token(entry),
        AuditAction.TOKEN_REVOKED: lambda: _own_token(entry),
    }.get(AuditAction(entry.act))
    if of:
        return of()
    if "total" in entry.after:
        return str(TO_MANY.get(entry.act, ""))
    return "" if entry.subject or entry.member else str(OF_NOBODY.get(entry.act, ""))


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


def _words(entry: AuditEntry) -> dict[str, str]:
    """All that a sentence may name. What the entry holds never overrides who and whom."""
    words = {key: said(key, value) for key, value in entry.after.items()}
    who = str(entry.actor) if entry.actor else _("A command at the server")
    whom = str(entry.member) if entry.member else ""
    return words | {"who": who, "whom": whom, "subject": title(entry.subject)}


def _was(entry: AuditEntry) -> list[str]:
    """What else changed, and what it was before, as far as the sentence does not say it."""
    words, special = _words(entry), _special(entry)
    told = {"state", *PLACES.findall(_template(entry, words))}
    changes = [each for each in differences(entry.before, entry.after) if each.key not in UNSAID]
    is_all = len(changes) == 1 and bool(special) and special not in map(str, OF_NOBODY.values())
    lines = []
    for change in changes:
        if not (is_all or change.key in told):
            lines.append(change.words if change.after != words["whom"] else "")
        elif change.before and change.key != "active":
            lines.append(_("was %(before)s") % {"before": change.before})
    return lines
