"""The back office in a language of marks, as `test_words.py` reads the other pages."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from generations.credits.models import Account, AccountKind
from generations.jobs.models import Generation
from tests.conftest import work
from tests.pages.marks import said

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("language_of_marks"),
]


def names_in_code() -> list[str]:
    """What Django calls fields that have no name for people yet, and rows that have no words of their own."""
    models = [model for model in apps.get_models() if model.__module__.startswith("generations.")]
    rows = rf"(\S )?({'|'.join(model.__name__ for model in models)}) object \(\S+\)( \|  \|)?"
    fields = {str(field.verbose_name) for model in models for field in model._meta.fields}
    return [rows, *(f"(?i:{re.escape(name)}):?" for name in fields if "⟦" not in name)]


def office_pages() -> list[str]:
    """The back office: its lists, the form of each thing, and one of each thing."""
    pages = [reverse("admin:index"), reverse("admin:jobs_reconciliation"), reverse("admin:password_change")]
    ours = (model for model in admin.site._registry if model.__module__.startswith("generations."))
    for model in ours:
        about = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages += [reverse(f"{about}_changelist"), reverse(f"{about}_add")]
        row = model._default_manager.order_by("pk").first()
        if row:
            pages += [reverse(f"{about}_change", args=[row.pk]), reverse(f"{about}_history", args=[row.pk])]
    pool = Account.objects.get(kind=AccountKind.POOL)
    return [*pages, reverse("admin:credits_account_issue", args=[pool.pk])]


# Left bare by Django (the picture in its search field, yes and no in its lists) and by allauth.
LIBRARIES = ["Search", "True", "False", "User sessions?"]
STORED = [
    r"\S*\d\S*",
    "studio-north",
    "stability",
    "ultra",
    "busy",
    "image/png",
    r"\S+\*{4,}",
    r"\{.*\}",
    r"\d+ credit",
]


def told(answer: Any) -> list[str]:
    """What a page says outside of marks, apart from what is stored."""
    known = re.compile("|".join([*LIBRARIES, *STORED, *names_in_code()]))
    return [words for words in said(answer) if not known.fullmatch(words)]


@pytest.fixture
def operator(mei, member) -> Client:
    """Mei, who runs the installation."""
    member.user.is_staff = member.user.is_superuser = True
    member.user.save()
    return mei


@pytest.fixture
def generation(submit, upstream, provider) -> Generation:
    """A picture whose first call was bought, perhaps, and brought none."""
    provider.plan("drop")
    batch = submit(prompt="a lighthouse in the fog", model="ultra", aspect_ratio="3:2")
    work()
    return batch.generations.get()


def test_the_back_office(operator, team, generation):
    for path in office_pages():
        answer = operator.get(path)
        if answer.status_code != 403:  # nobody adds a line to the ledger
            assert told(answer) == [], path


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("upstreams_upstream_add", {"name": "x", "kind": "stability", "base_url": "ftp://x", "key": "a b"}),
        ("upstreams_upstream_add", {"kind": "smoke", "costs": '{"ultra": -1}', "limit_calls": "no"}),
        ("jobs_price_add", {"model": "sd9", "amount": "much"}),
        ("teams_team_add", {"name": "", "slug": "A b", "time_zone": "Mars"}),
        ("teams_user_add", {"email": "nobody", "password1": "1", "password2": "2"}),
    ],
)
def test_what_the_back_office_says_of_a_form(operator, team, form, fields):
    answer = operator.post(reverse(f"admin:{form}"), fields)
    assert answer.status_code == 200
    assert told(answer) == []


def test_what_the_back_office_says_of_an_account_that_it_has_asked(operator, upstream, provider):
    change = reverse("admin:upstreams_upstream_changelist")
    for action in ("test", "resume"):
        answer = operator.post(change, {"action": action, "_selected_action": [upstream.pk]}, follow=True)
        assert told(answer) == []


def test_what_the_back_office_says_of_credits(operator, team):
    pool = Account.objects.get(kind=AccountKind.POOL)
    address = reverse("admin:credits_account_issue", args=[pool.pk])
    for amount in ("", "much", "5"):
        fields = {"amount": amount, "reason": "x", "reference": uuid.uuid4()}
        answer = operator.post(address, fields, follow=True)
        assert told(answer) == []
