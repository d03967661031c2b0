"""The form for a new API token."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.credits.amounts import CreditsField
from generations.office.credits.forms import IdempotentForm
from generations.office.members.forms import SingleLineField
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope
from generations.teams.permissions import may

VALIDITY_DAYS = (7, 30, 90, 365)
DEFAULT_DAYS = 90
# The token is derived from these: a form that is changed and sent again creates another token.
DERIVED_FROM = ("of", "name", "scopes", "days", "cap", "models")
SCOPE_DESCRIPTIONS = {
    Scope.GENERATE: gettext_lazy("Makes pictures with the credits, and keeps them in order"),
    Scope.READ: gettext_lazy("Looks at the library, the credits and what was asked for"),
    Scope.ADMINISTER: gettext_lazy("Runs people, roles and credits of the team"),
}


def _validity_choices() -> list[tuple[int, str]]:
    """Return the choices in the reader's language; text composed at import time would stay English."""
    days = [
        (days, ngettext("%(days)s day", "%(days)s days", days) % {"days": days}) for days in VALIDITY_DAYS
    ]
    return [*days, (0, _("until it is revoked"))]


class TokenForm(IdempotentForm):
    """A token of the member or of a program; a form sent twice creates one token."""

    name = SingleLineField(label=gettext_lazy("Name"), max_length=120)
    days = forms.TypedChoiceField(
        label=gettext_lazy("Good for"), choices=_validity_choices, coerce=int, initial=DEFAULT_DAYS
    )
    cap = CreditsField(label=gettext_lazy("Cap in credits"), required=False)
    models = forms.MultipleChoiceField(label=gettext_lazy("Models"), required=False)

    def __init__(
        self, *args: Any, member: Membership, programs: Collection[Membership], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.members = {str(each.pk): each for each in (member, *programs)}
        member_choices = [
            (pk, _("me") if each.pk == member.pk else str(each)) for pk, each in self.members.items()
        ]
        self.fields["of"] = forms.ChoiceField(
            label=gettext_lazy("Acts for"), choices=member_choices, initial=str(member.pk)
        )
        self.allowed_scopes = [
            scope
            for scope in Scope
            if any(may(each, teams_api_tokens.SCOPE_PERMISSIONS[scope]) for each in self.members.values())
        ]
        self.fields["scopes"] = forms.MultipleChoiceField(
            label=gettext_lazy("May"),
            choices=[(scope.value, scope.label) for scope in self.allowed_scopes],
            initial=[Scope.GENERATE.value, Scope.READ.value],
        )
        models = self.fields["models"]
        assert isinstance(models, forms.MultipleChoiceField)
        models.choices = [(model.name, model.title) for model in catalogue_registry.MODELS.values()]

    @property
    def scope_choices(self) -> list[tuple[str, str, str, bool]]:
        """The scopes to choose from: value, label, description, and whether it is checked."""
        checked = self["scopes"].value() or []
        return [
            (scope.value, str(scope.label), str(SCOPE_DESCRIPTIONS[scope]), scope.value in checked)
            for scope in self.allowed_scopes
        ]

    @property
    def model_choices(self) -> list[tuple[str, str, bool]]:
        """The models to choose from: name, title, and whether it is checked."""
        checked = self["models"].value() or []
        return [
            (model.name, model.title, model.name in checked) for model in catalogue_registry.MODELS.values()
        ]

    def issue_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `service.issue`."""
        data = self.cleaned_data
        return {
            "member": self.members[data["of"]],
            "name": data["name"],
            "scopes": data["scopes"],
            "expires_at": _expiry(data["days"]),
            "cap": data["cap"],
            "models": data["models"],
            "form_id": uuid.uuid5(data["reference"], str([(name, data[name]) for name in DERIVED_FROM])),
        }

    def renew_reference(self) -> None:
        """Let the next submission create another token, since that of this form is no longer valid."""
        self.data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        self.data["reference"] = str(uuid.uuid4())  # type: ignore[index]


def _expiry(days: int) -> datetime | None:
    return timezone.now() + timedelta(days=days) if days else None
