"""The form of a person's profile."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.jobs.create.forms import MOST_IMAGES
from generations.jobs.create.served import ServedModels, defaults_of
from generations.office.members.forms import SingleLineField, time_zones
from generations.providers.catalogue.operations import Operation
from generations.teams.models import Membership, User, Visibility

DENSITIES = {"roomy": gettext_lazy("Large"), "dense": gettext_lazy("Small")}
VISIBILITIES = {Visibility.TEAM: gettext_lazy("The team"), Visibility.PRIVATE: gettext_lazy("Only me")}


class ProfileForm(forms.Form):
    """Name, language, time zone, what Create begins with, how pages look. Empty: no choice of their own."""

    name = SingleLineField(label=gettext_lazy("Name"), max_length=120, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)
    model = forms.ChoiceField(label=gettext_lazy("Model"), required=False)
    count = forms.TypedChoiceField(
        label=gettext_lazy("How many"), coerce=int, empty_value=None, required=False
    )
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees my new pictures"), choices=VISIBILITIES.items()
    )
    density = forms.ChoiceField(label=gettext_lazy("Pictures in the library"), choices=DENSITIES.items())
    shortcuts = forms.BooleanField(label=gettext_lazy("Keyboard shortcuts of one key"), required=False)

    def __init__(self, *args: Any, user: User, member: Membership | None, **options: Any) -> None:
        options.setdefault("initial", values_of(user))
        super().__init__(*args, **options)
        self._offer("language", _("As the browser asks"), settings.LANGUAGES)
        of_team = (
            _("As in the team (%(zone)s)") % {"zone": member.team.time_zone}
            if member
            else _("As in the team")
        )
        zones = time_zones(user.time_zone or "UTC")
        self._offer("time_zone", of_team, [(zone, zone) for zone in zones])
        models = ServedModels(member).of(Operation.GENERATE) if member else []
        titles = sorted((model.name, model.title) for model in models)
        self._offer("model", _("The one I used last"), titles)
        self._offer("count", _("As many as last time"), [(n, str(n)) for n in range(1, MOST_IMAGES + 1)])

    @property
    def has_languages(self) -> bool:
        """Whether there is more than one language to choose from."""
        return len(settings.LANGUAGES) > 1

    def _offer(self, name: str, empty: str, choices: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", empty), *choices]


def values_of(user: User) -> dict[str, Any]:
    """Return the present values of the form."""
    defaults = defaults_of(user)
    return {
        "name": user.name,
        "language": user.language,
        "time_zone": user.time_zone,
        "model": defaults.get("model", ""),
        "count": defaults.get("count", ""),
        "visibility": user.default_visibility,
        "density": user.display.get("density", "roomy"),
        "shortcuts": user.display.get("shortcuts", True),
    }
