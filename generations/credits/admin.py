"""Read-only admin of the ledger. Actions of operators are in `office.backoffice.credits`."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from generations.core.admin import ReadOnlyAdmin
from generations.credits.amounts import as_text
from generations.credits.models import Account, Hold, Transfer


class AmountAdmin(ReadOnlyAdmin):
    """Rows that have an amount."""

    @admin.display(description=_("amount"), ordering="amount")
    def credits(self, row: Any) -> str:
        """The amount in credits."""
        return as_text(row.amount)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "kind", "balance_in_credits", "held_in_credits", "available_in_credits")
    list_filter = ("kind",)
    list_select_related = ("team", "membership__user")
    search_fields = ("team__name", "membership__user__email", "membership__team__name")
    ordering = ("pk",)
    fields = (
        "kind",
        "team",
        "membership",
        "balance_in_credits",
        "held_in_credits",
        "available_in_credits",
    )
    readonly_fields = ("balance_in_credits", "held_in_credits", "available_in_credits")

    @admin.display(description=_("balance"), ordering="balance")
    def balance_in_credits(self, account: Account) -> str:
        """The balance, with what is held."""
        return as_text(account.balance)

    @admin.display(description=_("held"), ordering="held")
    def held_in_credits(self, account: Account) -> str:
        """What is held for generations in progress."""
        return as_text(account.held)

    @admin.display(description=_("available"))
    def available_in_credits(self, account: Account) -> str:
        """What can be spent or transferred."""
        return as_text(account.available)


@admin.register(Transfer)
class TransferAdmin(AmountAdmin):
    list_display = ("id", "created_at", "kind", "credits", "source", "target", "actor", "model", "note")
    list_filter = ("kind", "team", "model")
    list_select_related = (
        "source__team",
        "source__membership__user",
        "target__team",
        "target__membership__user",
        "actor",
    )
    search_fields = ("reference", "note", "member__user__email")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    fields = (
        "created_at",
        "kind",
        "credits",
        "source",
        "target",
        "team",
        "member",
        "actor",
        "model",
        "note",
        "reference",
    )
    readonly_fields = ("credits", "created_at")


@admin.register(Hold)
class HoldAdmin(AmountAdmin):
    list_display = ("reference", "opened_at", "state", "credits", "member", "model", "closed_at")
    list_filter = ("state", "model")
    list_select_related = ("member__user",)
    search_fields = ("reference", "member__user__email")
    ordering = ("-opened_at", "-id")
    fields = (
        "reference",
        "state",
        "credits",
        "account",
        "member",
        "model",
        "transfer",
        "opened_at",
        "closed_at",
    )
    readonly_fields = ("credits", "opened_at")
