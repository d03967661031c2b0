"""What is typed on the pages of a team's people, and checked before a verb hears of it."""

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
from generations.teams.permissions import roles_given_by

MOST_USES = 500
MOST_MAILS = 50
MOST_MAILS_A_DAY = 200
# Area and place; the database of time zones has many more names, for the same clocks.
AREAS = re.compile("Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific")
LASTS = (1, 7, 30, 90)  # days
ROLE_MEANS = {
    Role.OWNER: gettext_lazy("Everything, and appoints owners"),
    Role.ADMINISTRATOR: gettext_lazy("Runs people, credits and prices"),
    Role.MEMBER: gettext_lazy("Makes pictures with their credits"),
    Role.VIEWER: gettext_lazy("Looks at the library, makes nothing"),
}


def _lasts() -> list[tuple[int, str]]:
    """How long, in the reader's language: what is put together when the module is read stays English."""
    return [(days, ngettext("%(days)s day", "%(days)s days", days) % {"days": days}) for days in LASTS]


class OneLine(forms.CharField):
    """Words on one line: a name never adds a line to a mail's head or to a log."""

    def to_python(self, value: Any) -> str:
        """The words with single spaces between them."""
        return " ".join(str(super().to_python(value)).split())


class RoleField(forms.TypedChoiceField):
    """One of the roles that somebody of this role may give."""

    def __init__(self, given_by: str, **options: Any) -> None:
        given = roles_given_by(given_by)
        roles = [(role.value, role.label) for role in given]
        super().__init__(label=gettext_lazy("Role"), choices=roles, coerce=Role, **options)
        self.cards = [(role.value, role.label, ROLE_MEANS[role]) for role in given]


class InviteForm(forms.Form):
    """An invitation: by a link for some people, or mailed to each of some addresses."""

    reference = forms.UUIDField(widget=forms.HiddenInput)
    emails = forms.CharField(label=gettext_lazy("Email addresses"), max_length=20_000, required=False)
    credits = CreditsField(label=gettext_lazy("Starting credits"), required=False)
    days = forms.TypedChoiceField(
        label=gettext_lazy("Good for"),
        choices=_lasts,
        coerce=int,
        initial=7,
    )
    uses = forms.IntegerField(
        label=gettext_lazy("People it lets in"), min_value=1, max_value=MOST_USES, required=False, initial=1
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
        """The addresses in lower case, each once; none of a member, since they are in already."""
        emails = list(dict.fromkeys(filter(None, re.split(r"[\s,;]+", self.cleaned_data["emails"].lower()))))
        if len(emails) > MOST_MAILS:
            raise ValidationError(_("At most %(most)s addresses at once.") % {"most": MOST_MAILS})
        for email in emails:
            _must_be_an_address(email)
        since = timezone.now() - timedelta(days=1)
        mailed = Invitation.objects.filter(made_by=self.member.user, created_at__gt=since).exclude(email="")
        if mailed.count() + len(emails) > MOST_MAILS_A_DAY:
            few = _("You mail at most %(most)s invitations a day. Pass on a link, or go on tomorrow.")
            raise ValidationError(few % {"most": MOST_MAILS_A_DAY})
        members = self.member.team.memberships.filter(ended_at=None, user__email__in=emails)
        if present := members.values_list("user__email", flat=True).first():
            raise ValidationError(_("%(email)s is in the team already.") % {"email": present})
        return emails

    def try_anew(self) -> None:
        """Let the next attempt be another invitation than this one, which failed."""
        self.data = {**self.data.dict(), "reference": str(uuid.uuid4())}  # type: ignore[attr-defined]

    def offer(self) -> Offer:
        """What was typed, as the verbs take it."""
        said = self.cleaned_data
        return Offer(said["role"], said["credits"] or 0, timedelta(days=said["days"]))


class RoleForm(forms.Form):
    """Another role for a member."""

    def __init__(self, *args: Any, member: Membership, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"] = RoleField(member.role)


class WeightForm(forms.Form):
    """How many slots in the queue for one of the others'."""

    weight = forms.IntegerField(label=gettext_lazy("Weight in the queue"), min_value=1, max_value=MAX_WEIGHT)


class ProgramForm(forms.Form):
    """What a program is called."""

    name = OneLine(label=gettext_lazy("Name"), max_length=120)


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """A team's name and time zone, and below how much its people are warned."""

    name = OneLine(label=gettext_lazy("Name"), max_length=120)
    low_wallet = CreditsField(label=gettext_lazy("Warn a member below"), required=False)
    low_pool = CreditsField(label=gettext_lazy("Warn of a pool below"), required=False)

    class Meta:
        model = Team
        fields: ClassVar[list[str]] = ["name", "time_zone", "low_wallet", "low_pool"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("low_wallet", "low_pool"):
            limit = self.initial.get(name)
            self.initial[name] = Decimal(limit) / HUNDREDTHS if limit else ""
        self.zones = zones(self.initial.get("time_zone") or "UTC")

    def clean(self) -> dict[str, Any]:
        """An empty limit is no limit."""
        said = super().clean() or {}
        return said | {name: said.get(name) or 0 for name in ("low_wallet", "low_pool")}


class NewTeamForm(forms.Form):
    """A team that is not there yet."""

    reference = forms.UUIDField(widget=forms.HiddenInput, required=False)
    name = OneLine(label=gettext_lazy("Name"), max_length=120)
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), initial="UTC")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial.setdefault("reference", uuid.uuid4())
        self.zones = zones("UTC")
        self.fields["time_zone"] = forms.ChoiceField(
            label=gettext_lazy("Time zone"), choices=[(zone, zone) for zone in self.zones], initial="UTC"
        )


def zones(present: str) -> list[str]:
    """The names to choose from, with the one that is chosen."""
    common = {name for name in available_timezones() if AREAS.match(name)}
    return sorted(common | {"UTC", present})


def _must_be_an_address(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError(_("“%(email)s” is not an email address.") % {"email": email[:60]}) from None
