"""The verbs of belonging to a team. A membership is never deleted: it ends, and may begin again.

Whatever could take the last owner away locks the team's row first, so that of two owners who
leave at the same moment one stays.
"""

import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Kind, Membership, Role, Team, User

ATTEMPTS = 20  # at an address that nobody takes at the same moment
LONGEST = Team._meta.get_field("slug").max_length or 50


class AlreadyIn(Exception):
    """The person is in the team."""

    def __init__(self, user: User, team: Team) -> None:
        super().__init__(
            _("%(person)s is already a member of %(team)s.") % {"person": user.email, "team": team.name}
        )


class FoundedBefore(Exception):
    """The form that arrived again made this team already."""

    def __init__(self, team: Team) -> None:
        super().__init__(_("%(team)s was made already.") % {"team": team.name})
        self.team = team


class LastOwner(Exception):
    """Nobody could run the team any more."""

    def __init__(self, member: Membership) -> None:
        super().__init__(
            _("%(person)s is the last owner of %(team)s. Make somebody else an owner first.")
            % {"person": member, "team": member.team.name}
        )


class NameTaken(Exception):
    """Another program of the team is called so."""

    def __init__(self, name: str) -> None:
        super().__init__(_("There is a program called %(name)s already.") % {"name": name})


def found_team(name: str, *, time_zone: str = "UTC", founding: uuid.UUID | None = None) -> Team:
    """A new team, with an address made from its name; FoundedBefore if the same form made one.

    Of two who take one address at the same moment, the second gets the next.
    """
    for attempts_left in reversed(range(ATTEMPTS)):
        team = Team(name=name, slug=free_slug(name), time_zone=time_zone, founding=founding)
        try:
            with transaction.atomic():
                team.save()
        except IntegrityError:
            made = Team.objects.filter(founding=founding).exclude(founding=None).first()
            if made:
                raise FoundedBefore(made) from None
            if not attempts_left:
                raise
        else:
            break
    return team


def free_slug(name: str) -> str:
    """The name as an address that no team has yet: studio, studio-2, studio-3."""
    wish = slugify(name)[: LONGEST - 5].strip("-") or "team"
    taken = set(Team.objects.filter(slug__startswith=wish).values_list("slug", flat=True))
    numbered = (f"{wish}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (wish, *numbered) if slug not in taken)


@transaction.atomic
def join(user: User, team: Team, role: Role = Role.MEMBER) -> Membership:
    """Let the person into the team, again if they had left; AlreadyIn if they are in it."""
    member, made = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    if made:
        return member
    came_back = Membership.objects.filter(pk=member.pk, ended_at__isnull=False)
    if not came_back.update(ended_at=None, role=role, joined_at=timezone.now()):
        raise AlreadyIn(user, team)
    member.refresh_from_db()
    return member


def add_program(team: Team, name: str) -> Membership:
    """A membership that no person signs in to; NameTaken if another one is called so."""
    return _named(Membership(team=team, kind=Kind.PROGRAM), name)


def rename_program(program: Membership, name: str) -> None:
    """Call the program something else; NameTaken if another one is called so."""
    _named(program, name)


def lock_team(team: Team) -> None:
    """Let nobody else change who runs the team until the transaction ends.

    Without its key (FOR NO KEY UPDATE): whoever only adds a row that names the team need not wait.
    """
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)


@transaction.atomic
def leave(member: Membership) -> bool:
    """End the membership; False if it had ended, LastOwner if nobody could run the team then.

    Its API tokens end with it. `office.administration.dismiss` sees to the credits.
    """
    lock_team(member.team)
    _must_not_be_the_last(member)
    teams_api_tokens.revoke_of(member)
    return Membership.objects.filter(pk=member.pk, ended_at=None).update(ended_at=timezone.now()) == 1


@transaction.atomic
def set_role(member: Membership, role: Role) -> None:
    """Give the member another role; LastOwner if nobody could run the team then."""
    lock_team(member.team)
    if role != Role.OWNER:
        _must_not_be_the_last(member)
    Membership.objects.filter(pk=member.pk).update(role=role)
    member.role = role


def _named(program: Membership, name: str) -> Membership:
    program.name = name
    try:
        with transaction.atomic():
            program.save(update_fields=["name"] if program.pk else None)
    except IntegrityError:
        raise NameTaken(name) from None
    return program


def _must_not_be_the_last(member: Membership) -> None:
    """LastOwner if the member is the only owner who can sign in. The team's row is locked."""
    owners = Membership.objects.filter(team=member.team_id, role=Role.OWNER, ended_at=None)
    able = set(owners.filter(user__is_active=True).values_list("pk", flat=True))
    if able == {member.pk}:
        raise LastOwner(member)
