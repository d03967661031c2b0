"""Forms that set a price, and the roles that may use a model."""

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

YEARS = range(2000, 3000)  # valid in every database and time zone
BROWSER_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


def check_year(moment: datetime) -> datetime:
    """Return the moment; ValidationError if a price cannot begin in its year."""
    if moment.year not in YEARS:
        raise ValidationError(_("Choose a day between 2000 and 2999."))
    return moment


class PriceForm(forms.Form):
    """A price, for one team or all, and its start in the team's time zone; an empty start is now."""

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
        """Return the moment in the team's time zone; None for now."""
        text = self.cleaned_data["begins_at"].strip()
        if not text:
            return None
        for layout in BROWSER_FORMATS:
            try:
                moment = datetime.strptime(text, layout).replace(tzinfo=ZoneInfo(self.team.time_zone))
            except (ValueError, OverflowError):
                continue
            return check_year(moment)
        raise ValidationError(_("Write a day and a time, such as 2026-12-01 09:00, or nothing for now."))


class ModelRuleForm(forms.Form):
    """The roles that may use a model; with none nobody may."""

    roles = forms.TypedMultipleChoiceField(
        choices=[(role.value, role.label) for role in Role if role in PERMISSIONS["generate"]],
        coerce=Role,
        required=False,
    )
