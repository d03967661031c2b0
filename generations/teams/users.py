"""User accounts and their email addresses."""

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from generations.teams.models import User


class EmailTaken(Exception):
    """The address belongs to another account."""

    def __init__(self, email: str) -> None:
        super().__init__(_("%(email)s is an address of another account.") % {"email": email})


def is_email_taken(email: str, *, besides: User | None = None) -> bool:
    """Whether another user signs in with the address or has confirmed it. Unconfirmed claims do not count."""
    others = User.objects.exclude(pk=besides.pk) if besides else User.objects.all()
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True, user__in=others)
    return others.filter(email=email.lower()).exists() or confirmed.exists()


def delete_unconfirmed_claims(user: User) -> None:
    """Delete other users' unconfirmed claims to this user's address."""
    claims = EmailAddress.objects.filter(email=user.email, verified=False)
    claims.exclude(user=user).delete()


@transaction.atomic
def create(*, email: str, password: str | None = None, name: str = "", operator: bool = False) -> User:
    """Create a user whose address counts as confirmed; without a password they cannot sign in yet.

    Raises EmailTaken if another account has the address.
    """
    if is_email_taken(email):
        raise EmailTaken(email)
    fields = {"name": name, "is_staff": operator, "is_superuser": operator}
    user = User.objects.create_user(email, password, **fields)
    confirm_email(user)
    return user


@transaction.atomic
def confirm_email(user: User) -> None:
    """Make the user's address their only one, and confirmed: an operator has vouched for it."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def make_operator(user: User) -> None:
    """Make the user an operator of the installation."""
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
