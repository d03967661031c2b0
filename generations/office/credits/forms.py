"""What is filled in to move credits and to set limits. Each form that moves money carries its own UUID."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.credits.amounts import CreditsField, as_text
from generations.office.credits import csv_import
from generations.office.credits.grants import Gift
from generations.office.models import AllowanceKind
from generations.teams.models import Membership

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

LONGEST_NOTE = 400
MOST_NAMES = 5  # in a sentence that names members


class MoneyForm(forms.Form):
    """A form whose UUID makes what it does happen once, however often it is sent."""

    reference = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "required": gettext_lazy("This form is incomplete. Load the page again."),
            "invalid": gettext_lazy("This form is incomplete. Load the page again."),
        },
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial.setdefault("reference", uuid.uuid4())

    def clean(self) -> dict[str, Any]:
        """A person cannot mend a hidden field, so its sentence belongs to the whole form."""
        if sentences := self.errors.pop("reference", None):
            self.add_error(None, list(sentences))
        return self.cleaned_data


class ShareForm(MoneyForm):
    """One amount for each of some members: granted, or taken back."""

    members = forms.TypedMultipleChoiceField(
        coerce=int,
        error_messages={
            "required": gettext_lazy("Choose at least one member."),
            "invalid_choice": gettext_lazy("Somebody you chose is no longer in the team. Choose again."),
        },
    )
    amount = CreditsField(label=gettext_lazy("Credits for each"))
    note = forms.CharField(label=gettext_lazy("Note"), max_length=LONGEST_NOTE, required=False)

    def __init__(self, *args: Any, people: Collection[Membership], back: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.people, self.back = {member.pk: member for member in people}, back
        self.fields["members"].choices = [(pk, str(member)) for pk, member in self.people.items()]  # type: ignore[attr-defined]
        if back:
            self.fields["amount"].label = _("Credits from each")

    @property
    def chosen(self) -> set[str]:
        """Whose boxes are ticked."""
        return {str(pk) for pk in self["members"].value() or []}

    @property
    def gifts(self) -> list[Gift]:
        """What each is to get, once the form is valid."""
        note = self.cleaned_data["note"]
        return [
            Gift(self.people[pk], self.cleaned_data["amount"], note)
            for pk in dict.fromkeys(self.cleaned_data["members"])
        ]

    def lacking(self) -> str:
        """Who has less to give back than is asked for, in a sentence; nothing if all have enough."""
        short = [gift.member for gift in self.gifts if available(gift.member) < gift.amount]
        if not self.back or not short:
            return ""
        names = ", ".join(f"{member} ({as_text(available(member))})" for member in short[:MOST_NAMES])
        if len(short) > MOST_NAMES:
            names += " …"
        said = ngettext(
            "%(count)s member has less than that: %(names)s. Nothing was taken back.",
            "%(count)s members have less than that: %(names)s. Nothing was taken back.",
            len(short),
        )
        return said % {"count": len(short), "names": names}


def available(member: Membership) -> int:
    """What the member may spend, in hundredths; 0 for who never had a wallet."""
    wallet = getattr(member, "wallet", None)
    return wallet.available if wallet else 0


class AllowanceForm(forms.Form):
    """What a member is given each month."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Each month"), choices=AllowanceKind.choices, initial=AllowanceKind.TOP_UP
    )
    amount = CreditsField(label=gettext_lazy("Credits"))
    starts = forms.ChoiceField(
        label=gettext_lazy("From"),
        choices=[("now", gettext_lazy("this month")), ("next", gettext_lazy("next month"))],
        initial="now",
    )


class CapsForm(forms.Form):
    """What a member may spend; nothing typed is no cap."""

    per_day = CreditsField(label=gettext_lazy("Credits a day"), required=False, allow_zero=True)
    per_month = CreditsField(label=gettext_lazy("Credits a month"), required=False, allow_zero=True)


class AdjustForm(MoneyForm):
    """A correction between the pool and one wallet."""

    way = forms.ChoiceField(
        label=gettext_lazy("Way"),
        choices=[
            ("add", gettext_lazy("Pool to member")),
            ("remove", gettext_lazy("Member to pool")),
        ],
        initial="add",
    )
    amount = CreditsField(label=gettext_lazy("Credits"))
    note = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_NOTE)

    @property
    def signed(self) -> int:
        """The amount in hundredths, negative if it leaves the wallet."""
        amount: int = self.cleaned_data["amount"]
        return amount if self.cleaned_data["way"] == "add" else -amount


class CorrectionForm(AdjustForm):
    """An operator's correction of any account that belongs to somebody."""

    way = forms.ChoiceField(
        label=gettext_lazy("Way"),
        choices=[("add", gettext_lazy("into the account")), ("remove", gettext_lazy("out of the account"))],
        initial="add",
    )


class RefundForm(forms.Form):
    """Why a picture is given back; that it happens once is in the ledger."""

    note = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_NOTE)


class FileForm(forms.Form):
    """A table of who gets what."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        allow_empty_file=True,
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "invalid": gettext_lazy("Choose the file again: it did not arrive."),
        },
    )

    @property
    def text(self) -> str | csv_import.Wrong:
        """The file as text, read no further than it may be long."""
        file: UploadedFile = self.cleaned_data["file"]
        return csv_import.decode(file.read(csv_import.MOST_BYTES + 1))


class ApplyForm(MoneyForm):
    """The lines that were previewed, to be granted."""

    lines = forms.CharField(
        strip=False,
        max_length=csv_import.MOST_BYTES + csv_import.MOST_BREAKS,  # a browser makes two signs of each
        error_messages={
            "required": gettext_lazy("There are no lines in this file."),
            "max_length": gettext_lazy("The file is larger than 1 MB."),
        },
    )
