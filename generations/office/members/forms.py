"""Forms of the pages of members, invitations and team settings."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.credits.amounts import HUNDREDTHS, CreditsField
from generations.jobs.engine.operator_actions import MAX_WEIGHT
from generations.office.invitations.service import Offer
from generations.teams.models import Invitation, Membership, Role, Team
from generations.teams.permissions import assignable_roles

MAX_USES = 500
MAX_MAILS = 50
MAX_MAILS_PER_DAY = 200
# Names of the form area/city. The time zone database has many more names, which are aliases of these.
AREAS = re.compile("Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific")
VALIDITY_DAYS = (1, 7, 30, 90)
ROLE_DESCRIPTIONS = {
    Role.OWNER: gettext_lazy("Everything, and appoints owners"),
    Role.ADMINISTRATOR: gettext_lazy("Runs people, credits and prices"),
    Role.MEMBER: gettext_lazy("Makes pictures with their credits"),
    Role.VIEWER: gettext_lazy("Looks at the library, makes nothing"),
}


def _validity_choices() -> list[tuple[int, str]]:
    """Return the choices in the reader's language; text composed at import time would stay English."""
    return [
        (days, ngettext("%(days)s day", "%(days)s days", days) % {"days": days}) for days in VALIDITY_DAYS
    ]


class SingleLineField(forms.CharField):
    """Text on a single line: a name must not add a line to a mail header or to a log."""

    def to_python(self, value: Any) -> str:
        """Collapse white space, line breaks included."""
        return " ".join(str(super().to_python(value)).split())


class RoleField(forms.TypedChoiceField):
    """A choice of the roles that a member with the role `assigned_by` may assign."""

    def __init__(self, assigned_by: str, **options: Any) -> None:
        roles = assignable_roles(assigned_by)
        choices = [(role.value, role.label) for role in roles]
        super().__init__(label=gettext_lazy("Role"), choices=choices, coerce=Role, **options)
        self.described_choices = [(role.value, role.label, ROLE_DESCRIPTIONS[role]) for role in roles]


class InviteForm(forms.Form):
    """An invitation: by a link for a number of people, or mailed to a list of addresses."""

    reference = forms.UUIDField(widget=forms.HiddenInput)
    emails = forms.CharField(label=gettext_lazy("Email addresses"), max_length=20_000, required=False)
    credits = CreditsField(label=gettext_lazy("Starting credits"), required=False)
    days = forms.TypedChoiceField(
        label=gettext_lazy("Good for"),
        choices=_validity_choices,
        coerce=int,
        initial=7,
    )
    uses = forms.IntegerField(
        label=gettext_lazy("People it lets in"), min_value=1, max_value=MAX_USES, required=False, initial=1
    )

    def __init__(self, *args: Any, member: Membership, by_mail: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.member = member
        self.initial.setdefault("reference", uuid.uuid4())
        self.fields["role"] = RoleField(member.role, initial=Role.MEMBER.value)
        del self.fields["uses" if by_mail else "emails"]
        if by_mail:
            self.fields["emails"].required = True

    def clean_emails(self) -> list[str]:
        """Return the distinct addresses in lower case; refuse those of current members, and too many."""
        emails = list(dict.fromkeys(filter(None, re.split(r"[\s,;]+", self.cleaned_data["emails"].lower()))))
        if len(emails) > MAX_MAILS:
            raise ValidationError(_("At most %(most)s addresses at once.") % {"most": MAX_MAILS})
        for email in emails:
            _validate_email(email)
        since = timezone.now() - timedelta(days=1)
        mailed = Invitation.objects.filter(made_by=self.member.user, created_at__gt=since).exclude(email="")
        if mailed.count() + len(emails) > MAX_MAILS_PER_DAY:
            message = _("You mail at most %(most)s invitations a day. Pass on a link, or go on tomorrow.")
            raise ValidationError(message % {"most": MAX_MAILS_PER_DAY})
        members = self.member.team.memberships.filter(ended_at=None, user__email__in=emails)
        if present := members.values_list("user__email", flat=True).first():
            raise ValidationError(_("%(email)s is in the team already.") % {"email": present})
        return emails

    def renew_reference(self) -> None:
        """Let the next submission create another invitation, since this one failed."""
        self.data = {**self.data.dict(), "reference": str(uuid.uuid4())}  # type: ignore[attr-defined]

    def offer(self) -> Offer:
        """Return the terms of the invitation."""
        data = self.cleaned_data
        return Offer(data["role"], data["credits"] or 0, timedelta(days=data["days"]))


class RoleForm(forms.Form):
    """A new role for a member."""

    def __init__(self, *args: Any, member: Membership, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"] = RoleField(member.role)


class WeightForm(forms.Form):
    """The weight of a member in the queue: their share relative to others."""

    weight = forms.IntegerField(label=gettext_lazy("Weight in the queue"), min_value=1, max_value=MAX_WEIGHT)


class ProgramForm(forms.Form):
    """The name of a program."""

    name = SingleLineField(label=gettext_lazy("Name"), max_length=120)


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """A team's name and time zone, and the balances below which its members are notified."""

    name = SingleLineField(label=gettext_lazy("Name"), max_length=120)
    low_wallet = CreditsField(label=gettext_lazy("Warn a member below"), required=False)
    low_pool = CreditsField(label=gettext_lazy("Warn of team credits below"), required=False)

    class Meta:
        model = Team
        fields: ClassVar[list[str]] = ["name", "time_zone", "low_wallet", "low_pool"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("low_wallet", "low_pool"):
            limit = self.initial.get(name)
            self.initial[name] = Decimal(limit) / HUNDREDTHS if limit else ""
        self.zones = time_zones(self.initial.get("time_zone") or "UTC")

    def clean(self) -> dict[str, Any]:
        """Treat an empty limit as 0, which is no limit."""
        data = super().clean() or {}
        return data | {name: data.get(name) or 0 for name in ("low_wallet", "low_pool")}


class NewTeamForm(forms.Form):
    """A new team."""

    reference = forms.UUIDField(widget=forms.HiddenInput, required=False)
    name = SingleLineField(label=gettext_lazy("Name"), max_length=120)
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), initial="UTC")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial.setdefault("reference", uuid.uuid4())
        self.zones = time_zones("UTC")
        self.fields["time_zone"] = forms.ChoiceField(
            label=gettext_lazy("Time zone"), choices=[(zone, zone) for zone in self.zones], initial="UTC"
        )


def time_zones(current: str) -> list[str]:
    """Return the names to choose from, the current one included."""
    common = {name for name in available_timezones() if AREAS.match(name)}
    return sorted(common | {"UTC", current})


def _validate_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError(_("“%(email)s” is not an email address.") % {"email": email[:60]}) from None
