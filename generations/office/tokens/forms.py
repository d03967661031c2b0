"""What is filled in to make an API token."""

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
from generations.office.members.forms import OneLine
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Membership, Scope
from generations.teams.permissions import may

LASTS = (7, 30, 90, 365)  # days
USUAL = 90
# A form that is changed and sent again makes another token: what it says is then another thing.
FILLED_IN = ("of", "name", "scopes", "days", "cap", "models")
MEANS = {
    Scope.GENERATE: gettext_lazy("Makes pictures with the credits, and keeps them in order"),
    Scope.READ: gettext_lazy("Looks at the library, the credits and what was asked for"),
    Scope.ADMINISTER: gettext_lazy("Runs people, roles and credits of the team"),
}


def _lasts() -> list[tuple[int, str]]:
    """How long, in the reader's language: what is put together when the module is read stays English."""
    days = [(days, ngettext("%(days)s day", "%(days)s days", days) % {"days": days}) for days in LASTS]
    return [*days, (0, _("until it is revoked"))]


class TokenForm(IdempotentForm):
    """A token of one of the members for whom the person may make some; sent twice it makes one."""

    name = OneLine(label=gettext_lazy("Name"), max_length=120)
    days = forms.TypedChoiceField(label=gettext_lazy("Good for"), choices=_lasts, coerce=int, initial=USUAL)
    cap = CreditsField(label=gettext_lazy("Cap in credits"), required=False)
    models = forms.MultipleChoiceField(label=gettext_lazy("Models"), required=False)

    def __init__(
        self, *args: Any, member: Membership, programs: Collection[Membership], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.whose = {str(each.pk): each for each in (member, *programs)}
        named = [(pk, _("me") if each.pk == member.pk else str(each)) for pk, each in self.whose.items()]
        self.fields["of"] = forms.ChoiceField(
            label=gettext_lazy("Acts for"), choices=named, initial=str(member.pk)
        )
        self.scopes_given = [
            scope
            for scope in Scope
            if any(may(each, teams_api_tokens.ALLOWED_BY[scope]) for each in self.whose.values())
        ]
        self.fields["scopes"] = forms.MultipleChoiceField(
            label=gettext_lazy("May"),
            choices=[(scope.value, scope.label) for scope in self.scopes_given],
            initial=[Scope.GENERATE.value, Scope.READ.value],
        )
        models = self.fields["models"]
        assert isinstance(models, forms.MultipleChoiceField)
        models.choices = [(model.name, model.title) for model in catalogue_registry.MODELS.values()]

    @property
    def cards(self) -> list[tuple[str, str, str, bool]]:
        """The scopes to choose from, with what each means and whether it is chosen."""
        chosen = self["scopes"].value() or []
        return [
            (scope.value, str(scope.label), str(MEANS[scope]), scope.value in chosen)
            for scope in self.scopes_given
        ]

    @property
    def boxes(self) -> list[tuple[str, str, bool]]:
        """The models to choose from, and whether each is chosen."""
        chosen = self["models"].value() or []
        return [
            (model.name, model.title, model.name in chosen) for model in catalogue_registry.MODELS.values()
        ]

    def asked(self) -> dict[str, Any]:
        """What was filled in, as the verb takes it."""
        said = self.cleaned_data
        return {
            "member": self.whose[said["of"]],
            "name": said["name"],
            "scopes": said["scopes"],
            "expires_at": _expiry(said["days"]),
            "cap": said["cap"],
            "models": said["models"],
            "form": uuid.uuid5(said["reference"], str([(name, said[name]) for name in FILLED_IN])),
        }

    def try_anew(self) -> None:
        """Let the next attempt make another token than this one, which is no longer good."""
        self.data = self.data.copy()  # type: ignore[attr-defined]  # what a browser sent
        self.data["reference"] = str(uuid.uuid4())  # type: ignore[index]


def _expiry(days: int) -> datetime | None:
    return timezone.now() + timedelta(days=days) if days else None
