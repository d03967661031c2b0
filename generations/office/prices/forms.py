"""What an operator fills in to set a price, and an administrator to say who may use a model."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.credits.amounts import CreditsField
from generations.providers.catalogue import registry as catalogue_registry
from generations.teams.models import Role, Team
from generations.teams.permissions import PERMISSIONS

YEARS = range(2000, 3000)  # that every database and every time zone knows
AS_BROWSERS_SEND_IT = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


def known(moment: datetime) -> datetime:
    """The moment; ValidationError if its year is none in which a price could begin."""
    if moment.year not in YEARS:
        raise ValidationError(_("Choose a day between 2000 and 2999."))
    return moment


class PriceForm(forms.Form):
    """A price, where it holds, and from when on in the team's time zone; nothing typed is now."""

    model = forms.ChoiceField(
        label=gettext_lazy("Model"),
        choices=[(model.name, model.title) for model in catalogue_registry.MODELS.values()],
    )
    amount = CreditsField(label=gettext_lazy("Credits"))
    scope = forms.ChoiceField(
        label=gettext_lazy("For"),
        choices=[("team", gettext_lazy("this team")), ("all", gettext_lazy("every team"))],
        initial="team",
    )
    begins_at = forms.CharField(label=gettext_lazy("From"), required=False)

    def __init__(self, *args: Any, team: Team, **options: Any) -> None:
        super().__init__(*args, **options)
        self.team = team

    def clean_begins_at(self) -> datetime | None:
        """The moment that the clock of the team shows so; None for now."""
        text = self.cleaned_data["begins_at"].strip()
        if not text:
            return None
        for layout in AS_BROWSERS_SEND_IT:
            try:
                moment = datetime.strptime(text, layout).replace(tzinfo=ZoneInfo(self.team.time_zone))
            except (ValueError, OverflowError):
                continue
            return known(moment)
        raise ValidationError(_("Write a day and a time, such as 2026-12-01 09:00, or nothing for now."))


class RuleForm(forms.Form):
    """The roles that may use a model; none closes it."""

    roles = forms.TypedMultipleChoiceField(
        choices=[(role.value, role.label) for role in Role if role in PERMISSIONS["generate"]],
        coerce=Role,
        required=False,
    )
