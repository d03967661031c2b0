"""The accounts that people sign in with."""

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from generations.teams.models import User


class AddressTaken(Exception):
    """Another account signs in with this address."""

    def __init__(self, email: str) -> None:
        super().__init__(_("%(email)s is an address of another account.") % {"email": email})


def is_taken(email: str, *, besides: User | None = None) -> bool:
    """Whether somebody (else) signs in with it, or has confirmed it. That somebody claims it is nothing."""
    others = User.objects.exclude(pk=besides.pk) if besides else User.objects.all()
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True, user__in=others)
    return others.filter(email=email.lower()).exists() or confirmed.exists()


def drop_claims(user: User) -> None:
    """Forget that others said the person's address is theirs, which they never confirmed."""
    claims = EmailAddress.objects.filter(email=user.email, verified=False)
    claims.exclude(user=user).delete()


@transaction.atomic
def add(*, email: str, password: str | None = None, name: str = "", operator: bool = False) -> User:
    """A new person whose address counts as confirmed; without a password nobody can sign in yet.

    AddressTaken if somebody has it.
    """
    if is_taken(email):
        raise AddressTaken(email)
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
