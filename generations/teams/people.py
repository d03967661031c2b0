"""The accounts that people sign in with."""

from allauth.account.models import EmailAddress
from django.db import transaction

from generations.teams.models import User


@transaction.atomic
def add(*, email: str, password: str | None = None, name: str = "", operator: bool = False) -> User:
    """A new person whose address counts as confirmed; without a password nobody can sign in yet."""
    fields = {"name": name, "is_staff": operator, "is_superuser": operator}
    user = User.objects.create_user(email, password, **fields)
    confirm_address(user)
    return user


@transaction.atomic
def confirm_address(user: User) -> None:
    """Make the person's address the one and confirmed one, as an operator's word does."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def make_operator(user: User) -> None:
    """Let the person run the installation."""
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
