"""Forms that set a price, and the roles that may use a model."""

from __future__ import annotations

import re
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

PROPOSAL = re.compile(r"[\w.-]{1,60}=\d{1,12}", re.ASCII)
YEARS = range(2000, 3000)  # valid in every database and time zone
BROWSER_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


def check_year(moment: datetime) -> datetime:
    """Return the moment; ValidationError if a price cannot begin in its year."""
    if moment.year not in YEARS:
        raise ValidationError(_("Choose a day between 2000 and 2999."))
    return moment


class PriceForm(forms.Form):
    """A price, for one team or all, and its start in a time zone; an empty start is now."""

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

    def __init__(self, *args: Any, time_zone: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.time_zone = time_zone

    def clean_begins_at(self) -> datetime | None:
        """Return the moment in the form's time zone; None for now."""
        text = self.cleaned_data["begins_at"].strip()
        if not text:
            return None
        for layout in BROWSER_FORMATS:
            try:
                moment = datetime.strptime(text, layout).replace(tzinfo=ZoneInfo(self.time_zone))
            except (ValueError, OverflowError):
                continue
            return check_year(moment)
        raise ValidationError(_("Write a day and a time, such as 2026-12-01 09:00, or nothing for now."))


class AnyTeamPriceForm(PriceForm):
    """A price for every team, or for a chosen one."""

    scope = None  # type: ignore[assignment]  # which removes the field
    team = forms.ModelChoiceField(
        label=gettext_lazy("For"),
        queryset=Team.objects.filter(deactivated_at=None).order_by("name", "pk"),
        to_field_name="slug",
        required=False,
        empty_label=gettext_lazy("every team"),
    )


class ModelRuleForm(forms.Form):
    """The roles that may use a model; with none nobody may."""

    roles = forms.TypedMultipleChoiceField(
        choices=[(role.value, role.label) for role in Role if role in PERMISSIONS["generate"]],
        coerce=Role,
        required=False,
    )


class MarginForm(forms.Form):
    """The margin with which prices are proposed, in per cent of the highest cost."""

    margin = forms.IntegerField(
        label=gettext_lazy("Margin in per cent"), min_value=0, max_value=1_000, initial=20
    )


class ProposedPricesForm(forms.Form):
    """The ticked proposals, each `model=hundredths` as it was shown; the cleaned value is a dictionary."""

    price = forms.MultipleChoiceField(error_messages={"required": gettext_lazy("Choose a price.")})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["price"].valid_value = lambda value: bool(PROPOSAL.fullmatch(value))  # type: ignore[attr-defined]

    def clean_price(self) -> dict[str, int]:
        """Return {model: hundredths}; of unknown models and impossible amounts nothing is set."""
        pairs = [text.rpartition("=") for text in self.cleaned_data["price"]]
        found = {model: int(amount) for model, _equals, amount in pairs}
        wrong = [
            name for name, amount in found.items() if name not in catalogue_registry.MODELS or not amount
        ]
        if wrong:
            raise ValidationError(_("Choose a price."))
        return found
