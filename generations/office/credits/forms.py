"""Forms that move credits, and set allowances and caps."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.credits.amounts import CreditsField, as_text
from generations.office.credits import csv_import
from generations.office.credits.service import MAX_NOTE_LENGTH, MemberAmount
from generations.office.models import AllowanceKind
from generations.teams.models import Membership

MAX_NAMES = 5  # in a sentence that names members


class IdempotentForm(forms.Form):
    """A form with a UUID of its own, by which a change is made once however often the form is sent."""

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
        """Show errors of the hidden field for the whole form, since nobody can correct the field."""
        if errors := self.errors.pop("reference", None):
            self.add_error(None, list(errors))
        return self.cleaned_data


class GrantForm(IdempotentForm):
    """Grants the same amount to each chosen member, or takes it back."""

    members = forms.TypedMultipleChoiceField(
        coerce=int,
        error_messages={
            "required": gettext_lazy("Choose at least one member."),
            "invalid_choice": gettext_lazy("A member you chose is no longer in the team. Choose again."),
        },
    )
    amount = CreditsField(label=gettext_lazy("Credits for each"))
    note = forms.CharField(label=gettext_lazy("Note"), max_length=MAX_NOTE_LENGTH, required=False)

    def __init__(
        self, *args: Any, candidates: Collection[Membership], taking_back: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.candidates, self.taking_back = {member.pk: member for member in candidates}, taking_back
        choices = [(pk, str(member)) for pk, member in self.candidates.items()]
        self.fields["members"].choices = choices  # type: ignore[attr-defined]
        if taking_back:
            self.fields["amount"].label = _("Credits from each")

    @property
    def selected(self) -> set[str]:
        """The primary keys of the members that are ticked, as text."""
        return {str(pk) for pk in self["members"].value() or []}

    @property
    def amounts(self) -> list[MemberAmount]:
        """The amount for each chosen member, once the form is valid."""
        note = self.cleaned_data["note"]
        return [
            MemberAmount(self.candidates[pk], self.cleaned_data["amount"], note)
            for pk in dict.fromkeys(self.cleaned_data["members"])
        ]

    def shortage_message(self) -> str:
        """Name the members who have less available than is taken back; empty if all have enough."""
        short = [each.member for each in self.amounts if available_credits(each.member) < each.amount]
        if not self.taking_back or not short:
            return ""
        names = ", ".join(f"{member} ({as_text(available_credits(member))})" for member in short[:MAX_NAMES])
        if len(short) > MAX_NAMES:
            names += " …"
        message = ngettext(
            "%(count)s member has less than that: %(names)s. Nothing was taken back.",
            "%(count)s members have less than that: %(names)s. Nothing was taken back.",
            len(short),
        )
        return message % {"count": len(short), "names": names}


def available_credits(member: Membership) -> int:
    """The available credits of the member's wallet, in hundredths; 0 if there is no wallet yet."""
    wallet = getattr(member, "wallet", None)
    return wallet.available if wallet else 0


class AllowanceForm(forms.Form):
    """A member's monthly allowance."""

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
    """A member's spending caps; an empty field is no cap."""

    per_day = CreditsField(label=gettext_lazy("Credits a day"), required=False, allow_zero=True)
    per_month = CreditsField(label=gettext_lazy("Credits a month"), required=False, allow_zero=True)


class AdjustmentForm(IdempotentForm):
    """An adjustment between the pool and one wallet."""

    way = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        choices=[
            ("add", gettext_lazy("Team to member")),
            ("remove", gettext_lazy("Member to team")),
        ],
        initial="add",
    )
    amount = CreditsField(label=gettext_lazy("Credits"))
    note = forms.CharField(label=gettext_lazy("Reason"), max_length=MAX_NOTE_LENGTH)

    @property
    def signed_amount(self) -> int:
        """The amount in hundredths, negative if it leaves the wallet."""
        amount: int = self.cleaned_data["amount"]
        return amount if self.cleaned_data["way"] == "add" else -amount


class AccountAdjustmentForm(AdjustmentForm):
    """An operator's adjustment of a pool or a wallet."""

    way = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        choices=[("add", gettext_lazy("into the account")), ("remove", gettext_lazy("out of the account"))],
        initial="add",
    )


class IssueForm(IdempotentForm):
    """New credits for a pool, once for each reference."""

    amount = CreditsField(label=gettext_lazy("Credits"))
    note = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=MAX_NOTE_LENGTH,
        help_text=gettext_lazy("Shown in the ledger and in the team's changes."),
    )


class AskForm(IdempotentForm):
    """A member's request for credits. A form of another page may lack the UUID, and asks anew each time."""

    amount = CreditsField(label=gettext_lazy("Credits"))
    note = forms.CharField(label=gettext_lazy("What for"), max_length=MAX_NOTE_LENGTH, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reference"].required = False


class AnswerForm(forms.Form):
    """The answer to a request for credits: an amount, or No; either with a word."""

    GRANT, DECLINE = "grant", "decline"

    answer = forms.ChoiceField(
        label=gettext_lazy("Answer"), choices=[(GRANT, gettext_lazy("Grant")), (DECLINE, gettext_lazy("No"))]
    )
    amount = CreditsField(label=gettext_lazy("Credits"), required=False)
    word = forms.CharField(label=gettext_lazy("A word"), max_length=MAX_NOTE_LENGTH, required=False)

    def clean(self) -> dict[str, Any]:
        """A grant needs an amount; of No it means nothing, whatever stands there."""
        data = self.cleaned_data
        if data.get("answer") == self.DECLINE:
            self.errors.pop("amount", None)
        elif not self.errors and data["amount"] is None:
            self.add_error("amount", self.fields["amount"].error_messages["required"])
        return data


class RefundForm(forms.Form):
    """The reason of a refund. It needs no UUID: the ledger refunds a charge once."""

    note = forms.CharField(label=gettext_lazy("Reason"), max_length=MAX_NOTE_LENGTH)


class CsvUploadForm(forms.Form):
    """A CSV file of members and amounts."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        allow_empty_file=True,
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "invalid": gettext_lazy("Choose the file again: it did not arrive."),
        },
    )

    @property
    def text(self) -> str | csv_import.RowError:
        """The file as text, or why it cannot be read; reads no more than the allowed size."""
        file: UploadedFile = self.cleaned_data["file"]
        return csv_import.decode(file.read(csv_import.MAX_BYTES + 1))


class CsvGrantForm(IdempotentForm):
    """The rows that were previewed, to be granted."""

    lines = forms.CharField(
        strip=False,
        max_length=csv_import.MAX_BYTES + csv_import.MAX_LINE_BREAKS,  # a browser sends each as two
        error_messages={
            "required": gettext_lazy("There are no lines in this file."),
            "max_length": gettext_lazy("The file is larger than 1 MB."),
        },
    )
