"""`manage.py add_account KIND BASE_URL --key KEY`: adds a provider account, as its page does."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generations.office.audit_log import service as audit_log_service
from generations.office.provider_accounts import helper_form, listing
from generations.office.provider_accounts import service as accounts_service
from generations.office.provider_accounts.forms import AccountForm
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import ACCOUNT_KINDS, GATEWAY, TEXT_KINDS, Switch, checked_switch
from generations.upstreams import new_account
from generations.upstreams.models import Upstream


class Command(BaseCommand):
    help = "Add a provider account: it is asked for its balance, saved, and switched on if it has answered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("kind", choices=ACCOUNT_KINDS)
        parser.add_argument("base_url", help="a gateway's without the paths of its systems")
        parser.add_argument("--key", required=True, help="kept encrypted, and never shown")
        parser.add_argument("--name", default="", help="by default that of its kind")
        parser.add_argument(
            "--systems",
            default="",
            help="of a gateway: stability,bfl=/prefix; by default all, with usual prefixes",
        )
        parser.add_argument("--dialect", action="append", default=[], metavar="SYSTEM=DIALECT")
        parser.add_argument("--result-host", action="append", default=[], metavar="HOST")
        parser.add_argument(
            "--private-results", action="store_true", help="fetch results from private networks too"
        )
        parser.add_argument("--helper-model", metavar="NAME", help="a chat model that helps with prompts")
        parser.add_argument("--helper-price", metavar="CREDITS", help="what a member pays for an answer")
        parser.add_argument("--helper-cap", metavar="CREDITS", help="what each may spend on it in a day")
        parser.add_argument("--helper-cost", metavar="USD", help="what an answer costs you")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add the account, and say what it answered; CommandError if it is not switched on."""
        upstream = Upstream(kind=options["kind"])
        try:
            form = _form(upstream, options)
        except ValueError as problem:
            raise CommandError(f"{problem} Nothing was changed.") from None
        if not form.is_valid():
            raise CommandError(f"{_problems(form)} Nothing was changed.")
        answer = accounts_service.save(form.apply(), key_is_new=True, by=audit_log_service.COMMAND)
        said = answer.sentence if answer else ""
        if not upstream.enabled:
            raise CommandError(f"{upstream} is saved and not switched on. The test found: {said}")
        self.stdout.write(f"{upstream} is added, with {len(upstream.served_models)} models. {said}")


def _form(upstream: Upstream, options: dict[str, Any]) -> AccountForm:
    """The page's form, filled in with what is usual and with the arguments; ValueError for a wrong one."""
    plain = AccountForm(instance=Upstream(kind=upstream.kind))
    values = {name: plain[name].value() for name in plain.fields}
    values |= {
        "name": options["name"] or _free_name(upstream.kind),
        "base_url": options["base_url"],
        "key": options["key"],
        "plain_http": "on",
        "private_results": options["private_results"],
    }
    if options["result_host"]:
        values["result_hosts"] = "\n".join(options["result_host"])
    values |= _systems(upstream.kind, options) | _helper(upstream.kind, options)
    return AccountForm(
        {name: value for name, value in values.items() if value is not None}, instance=upstream
    )


def _systems(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """The fields of the switches."""
    names = [name.strip() for name in options["systems"].split(",") if name.strip()]
    if names and kind != GATEWAY:
        raise ValueError("Only a gateway has systems to choose.")
    switches = new_account.systems_of(names or (catalogue_registry.DECLARED if kind == GATEWAY else [kind]))
    for text in options["dialect"]:
        name, _equals, dialect = text.partition("=")
        checked_switch(name, Switch(dialect=dialect))
        if name not in switches:
            raise ValueError(f"The account does not have {name}.")
        switches[name]["dialect"] = dialect
    values: dict[str, Any] = {"systems": list(switches)} if kind == GATEWAY else {}
    for name, switch in switches.items():
        values |= {f"prefix-{name}": switch.get("prefix", ""), f"dialect-{name}": switch.get("dialect", "")}
    return values


def _helper(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """The fields of the prompt helper."""
    said = {name: options[name] for name in helper_form.FORM_FIELDS if options[name] is not None}
    if said and kind not in TEXT_KINDS:
        raise ValueError("An account of this kind has no chat models.")
    if said and not said.get("helper_model"):
        raise ValueError("Name the chat model of the prompt helper, too: --helper-model.")
    return {helper_form.FORM_FIELDS[name]: value for name, value in said.items()}


def _free_name(kind: str) -> str:
    title, number = listing.kind_title(kind), 1
    while Upstream.objects.filter(name=f"{title} {number}" if number > 1 else title).exists():
        number += 1
    return f"{title} {number}" if number > 1 else title


def _problems(form: AccountForm) -> str:
    texts = [f"{name}: {' '.join(map(str, sentences))}" for name, sentences in form.errors.items()]
    return " ".join(texts)
