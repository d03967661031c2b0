"""The operators' pages of provider accounts: the list, adding and changing one, its test and its switches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.jobs.engine import operator_actions
from generations.office.audit_log import service as audit_log_service
from generations.office.audit_log.service import Actor
from generations.office.provider_accounts import listing
from generations.office.provider_accounts import service as accounts_service
from generations.office.provider_accounts.forms import AccountForm
from generations.providers import ACCOUNT_KINDS
from generations.providers.base import ProviderError
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.registry import GATEWAY
from generations.teams import recent_sign_in
from generations.teams.permissions import last_membership, operator_required
from generations.upstreams import accounts
from generations.upstreams.models import Upstream

QUEUE_ACTS: dict[str, tuple[Callable[..., None], Any]] = {
    "pause": (operator_actions.pause, gettext_lazy("%(name)s is paused.")),
    "resume": (operator_actions.reopen, gettext_lazy("%(name)s is called again.")),
    "drain": (operator_actions.drain, gettext_lazy("%(name)s finishes what runs and starts nothing.")),
}


@require_safe
@never_cache
@operator_required
def account_list(request: HttpRequest) -> HttpResponse:
    """Show all provider accounts with their state, pace, balance and latest calls."""
    context = {"member": last_membership(request.user), "rows": listing.rows()}
    return render(request, "office/provider_accounts/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@operator_required
def new_account(request: HttpRequest) -> HttpResponse:
    """Add an account: it is tested, saved, and switched on if it has answered."""
    if not (request.POST or "kind" in request.GET):
        return _choice_of_kind(request)
    upstream = _new(request)
    form = AccountForm(request.POST or None, instance=upstream)
    if form.is_valid() and _is_operator_present(request, form):
        return _saved(request, form)
    return _page(request, upstream, form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@operator_required
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and change an account. With another address, key or proxy it is tested before it is saved."""
    upstream = get_object_or_404(Upstream, pk=pk)
    form = AccountForm(request.POST or None, instance=upstream)
    if form.is_valid() and _is_operator_present(request, form):
        return _saved(request, form)
    return _page(request, get_object_or_404(Upstream, pk=pk), form)


@require_POST
@operator_required
def try_form(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Say what the account would answer with what the form says; nothing is saved."""
    upstream, _form, wrong = _to_ask(request, pk)
    answer = None if wrong else accounts.ask(upstream)
    context = {"answer": answer, "wrong": wrong}
    return render(request, "office/provider_accounts/tested.html", context)


@require_POST
@operator_required
def look(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Fill in what the gateway says that it sells, asked for nothing that costs; nothing is saved."""
    upstream, form, wrong = _to_ask(request, pk)
    if upstream.kind != GATEWAY:
        raise Http404
    found = None
    if not wrong:
        upstream.unit_value = form.unit_value
        try:
            found = accounts.look(upstream)
        except ProviderError as problem:
            wrong = [problem.reason]
        else:
            form.propose(found, request.POST)
    context = {"form": form, "found": found, "wrong": wrong, "look_url": request.path}
    return render(request, "office/provider_accounts/sells.html", context)


def _to_ask(request: HttpRequest, pk: int | None) -> tuple[Upstream, AccountForm, list[str]]:
    """The account as the form says it, not saved, and the sentences of what is wrong with address and key."""
    upstream = get_object_or_404(Upstream, pk=pk, from_environment=False) if pk else _new(request)
    form = AccountForm(request.POST, instance=upstream)
    form.full_clean()
    wrong = [str(problem) for name in ("base_url", "key", "proxy") for problem in form.errors.get(name, [])]
    if not wrong and _is_operator_present(request, form) and (key := form.cleaned_data["key"]):
        upstream.set_key(key)
    return upstream, form, [*wrong, *map(str, form.errors.get("password", []))]


@require_POST
@operator_required
def switch(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do what a button of the page says: test, enable, disable, pause, resume or drain."""
    upstream = get_object_or_404(Upstream, pk=pk)
    by = audit_log_service.actor_of(request)
    if act == "test":
        answer = accounts.test(upstream)
        add = messages.success if answer.is_good else messages.error
        add(request, f"{upstream.name}: {answer.sentence}")
    elif act == "enable":
        _enable(request, upstream, by)
    elif act == "disable" and not upstream.from_environment:
        accounts_service.disable(upstream, by=by)
        messages.success(request, _("%(name)s is switched off. What runs is finished.") % {"name": upstream})
    elif act in QUEUE_ACTS and upstream.enabled:
        change, sentence = QUEUE_ACTS[act]
        change(Upstream.objects.filter(pk=upstream.pk), by=by)
        messages.success(request, sentence % {"name": upstream})
    else:
        raise Http404
    return redirect("operate:account", pk)


def _enable(request: HttpRequest, upstream: Upstream, by: Actor) -> None:
    try:
        accounts_service.enable(upstream, despite="despite" in request.POST, by=by)
    except accounts_service.TestFailed as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("%(name)s is switched on.") % {"name": upstream})


def _new(request: HttpRequest) -> Upstream:
    """An account of the chosen kind, which is not saved; Http404 for an unknown kind."""
    kind = request.POST.get("kind") or request.GET.get("kind")
    if kind not in ACCOUNT_KINDS:
        raise Http404
    return Upstream(kind=kind)


def _saved(request: HttpRequest, form: AccountForm) -> HttpResponse:
    """Save the form and go to the account, with a message of what came of it."""
    upstream = form.apply()
    answer = accounts_service.save(
        upstream, key_is_new=bool(form.cleaned_data.get("key")), by=audit_log_service.actor_of(request)
    )
    if answer is None:
        messages.success(request, _("%(name)s is saved.") % {"name": upstream})
    elif answer.is_good:
        values = {"name": upstream, "answer": answer.sentence}
        messages.success(request, _("%(name)s is saved. %(answer)s") % values)
    else:
        values = {"name": upstream, "answer": answer.sentence}
        messages.error(
            request, _("%(name)s is saved and not switched on. The test found: %(answer)s") % values
        )
    return redirect("operate:account", upstream.pk)


def _is_operator_present(request: HttpRequest, form: AccountForm) -> bool:
    """Whether a key may be used: only by who has just entered their password. Else an error of the form."""
    if not form.cleaned_data.get("key") or not recent_sign_in.is_password_needed(request):
        return True
    try:
        recent_sign_in.check_password(request, request.POST.get("password", ""))
    except ValidationError as problem:
        form.errors["password"] = form.error_class(problem.messages)
        return False
    return True


def _choice_of_kind(request: HttpRequest) -> HttpResponse:
    """Ask where pictures are bought: at a gateway, which has many systems, or at a maker."""
    context = {
        "member": last_membership(request.user),
        "gateway": GATEWAY,
        "systems": list(catalogue_registry.DECLARED.values()),
    }
    return render(request, "office/provider_accounts/kind.html", context)


def _look_url(upstream: Upstream) -> str:
    """Where the form of a gateway is sent to for a look; "" for others."""
    if upstream.kind != GATEWAY or upstream.from_environment:
        return ""
    return reverse("operate:look_account", args=[upstream.pk]) if upstream.pk else reverse("operate:look_new")


def _page(request: HttpRequest, upstream: Upstream, form: AccountForm) -> HttpResponse:
    """The page of an account; `upstream` is as it is stored, whatever the form says."""
    context: dict[str, Any] = {
        "member": last_membership(request.user),
        "form": form,
        "row": listing.row_of(upstream) if upstream.pk else None,
        "problem": accounts_service.problem_of(upstream),
        "asks_for_password": not upstream.from_environment and recent_sign_in.is_password_needed(request),
        "kind": upstream.kind,
        "look_url": _look_url(upstream),
        "kind_title": listing.kind_title(upstream.kind),
        "names": list(
            Upstream.objects.exclude(pace_account="").values_list("pace_account", flat=True).distinct()
        ),
    }
    return render(
        request, "office/provider_accounts/form.html", context, status=422 if form.is_bound else 200
    )
