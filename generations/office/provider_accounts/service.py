"""Add, change, test and switch provider accounts; each change writes its audit entry.

An account is tested before it is saved. One that does not answer to its key is saved, and not called until it
has answered or an operator enables it knowingly: some providers refuse the free question and take paid calls.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from generations.jobs.engine import operator_actions
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.models import AuditAction
from generations.office.provider_accounts import helper_form
from generations.upstreams import accounts, new_account
from generations.upstreams.accounts import Answer
from generations.upstreams.models import Upstream

AUDITED_FIELDS = (
    "name",
    "kind",
    "base_url",
    "proxy",
    "enabled",
    "order",
    "orders",
    "models_served",
    "costs",
    "unit",
    "unit_value",
    "systems",
    "wire_names",
    "low_balance",
    "pace_account",
    "limit_calls",
    "limit_window",
    "max_in_flight",
    "result_hosts",
    "private_results",
    *helper_form.FIELDS,
)
SECRETS = ("encrypted_key", "encrypted_proxy_login")


class TestFailed(Exception):
    """The account refused its last test, so it is enabled only by who says that they know."""

    def __init__(self, sentence: str) -> None:
        super().__init__(_("It is not switched on: the last test found: %(found)s") % {"found": sentence})


def save(upstream: Upstream, *, key_is_new: bool, by: Actor) -> Answer | None:
    """Save a new or changed account. If its address, key or proxy changed it is asked before, with these.

    Returns what it answered, None if it was not asked. One that does not answer is saved switched off.
    """
    stored = Upstream.objects.filter(pk=upstream.pk).first() if upstream.pk else None
    answer = accounts.ask(upstream) if key_is_new or _leads_elsewhere(upstream, stored) else None
    if answer:
        was_refused = stored is None or bool(stored.test_problem)
        upstream.enabled = answer.is_good and (was_refused or upstream.enabled)
    _write(upstream, stored, answer, key_is_new=key_is_new, by=by)
    return answer


@transaction.atomic
def enable(upstream: Upstream, *, despite: bool, by: Actor) -> None:
    """Call the account from now on; TestFailed if its last test had failed, unless `despite` that."""
    row = Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
    if row.test_problem and not despite:
        raise TestFailed(problem_of(row))
    if row.enabled:
        return
    accounts.enable(row)
    after = {"did": "switched_on"} | ({"although": problem_of(row)} if row.test_problem else {})
    _record(by, row.name, {}, after)


@transaction.atomic
def disable(upstream: Upstream, *, by: Actor) -> None:
    """Call the account no more; running calls are finished."""
    row = Upstream.objects.select_for_update(no_key=True).get(pk=upstream.pk)
    if row.enabled:
        accounts.disable(row)
        _record(by, row.name, {}, {"did": "switched_off"})


def problem_of(upstream: Upstream) -> str:
    """What the last test found, for operators; "" if it answered or was not tested."""
    return Answer(upstream.test_problem, upstream.test_status).sentence if upstream.test_problem else ""


def _leads_elsewhere(upstream: Upstream, stored: Upstream | None) -> bool:
    if stored is None:
        return True
    return (stored.base_url, stored.proxy, stored.encrypted_proxy_login) != (
        upstream.base_url,
        upstream.proxy,
        upstream.encrypted_proxy_login,
    )


@transaction.atomic
def _write(
    upstream: Upstream, stored: Upstream | None, answer: Answer | None, *, key_is_new: bool, by: Actor
) -> None:
    # Only what the form sets: a pause or a balance that was written meanwhile stays.
    fields = {*AUDITED_FIELDS, *SECRETS} - (set() if answer else {"enabled"})
    upstream.save(update_fields=None if stored is None else fields)
    if stored is None:
        new_account.begin(upstream)
    if answer:
        accounts.remember(upstream, answer)
        new_account.share_pace(upstream)
        accounts.resume(upstream)
    before, after = _audited(stored or Upstream()), _audited(upstream)
    changed = [name for name in after if after[name] != before[name]]
    values = {name: after[name] for name in changed} | ({} if stored else {"did": "added"})
    if key_is_new:
        values["key"] = "replaced" if stored else "kept"
    if values:
        _record(by, upstream.name, {name: before[name] for name in changed} if stored else {}, values)


def _audited(upstream: Upstream) -> dict[str, Any]:
    """What an operator can set, without the key."""
    return {name: getattr(upstream, name) for name in AUDITED_FIELDS} | {
        "state": operator_actions.state(upstream)
    }


def _record(by: Actor, name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    audit_log_service.record(by, AuditAction.UPSTREAM_CHANGED, subject=name, before=before, after=after)
