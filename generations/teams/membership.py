"""Teams and their memberships: create, join, leave, change roles.

A membership is never deleted: it ends, and may resume. Every change that could remove the last owner locks
the row of the team first, so that of two owners who leave at the same moment one stays.
"""

import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from generations.teams import api_tokens as teams_api_tokens
from generations.teams.models import Kind, Membership, Role, Team, User

SLUG_ATTEMPTS = 20  # when concurrent requests take the same slug
SLUG_MAX_LENGTH = Team._meta.get_field("slug").max_length or 50


class AlreadyMember(Exception):
    """The user is a current member of the team."""

    def __init__(self, user: User, team: Team) -> None:
        super().__init__(
            _("%(person)s is already a member of %(team)s.") % {"person": user.email, "team": team.name}
        )


class TeamExists(Exception):
    """The same form was submitted before and created this team."""

    def __init__(self, team: Team) -> None:
        super().__init__(_("%(team)s was made already.") % {"team": team.name})
        self.team = team


class LastOwner(Exception):
    """The team would have no owner left who can sign in."""

    def __init__(self, member: Membership) -> None:
        super().__init__(
            _("%(person)s is the last owner of %(team)s. Make another member an owner first.")
            % {"person": member, "team": member.team.name}
        )


class ProgramNameTaken(Exception):
    """Another program of the team has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(_("There is a program called %(name)s already.") % {"name": name})


def create_team(name: str, *, time_zone: str = "UTC", founding: uuid.UUID | None = None) -> Team:
    """Create a team whose slug is made from its name.

    `founding` identifies the form: raises TeamExists if the same form created a team before. When two
    requests take the same slug at the same moment, the second gets the next number.
    """
    for attempts_left in reversed(range(SLUG_ATTEMPTS)):
        team = Team(name=name, slug=unused_slug(name), time_zone=time_zone, founding=founding)
        try:
            with transaction.atomic():
                team.save()
        except IntegrityError:
            made = Team.objects.filter(founding=founding).exclude(founding=None).first()
            if made:
                raise TeamExists(made) from None
            if not attempts_left:
                raise
        else:
            break
    return team


def unused_slug(name: str) -> str:
    """Return a slug of the name that no team has yet: studio, studio-2, studio-3."""
    base = slugify(name)[: SLUG_MAX_LENGTH - 5].strip("-") or "team"
    taken = set(Team.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (base, *numbered) if slug not in taken)


@transaction.atomic
def join(user: User, team: Team, role: Role = Role.MEMBER) -> Membership:
    """Make the user a member of the team, resuming an ended membership.

    Raises AlreadyMember for a current one.
    """
    member, made = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    if made:
        return member
    ended = Membership.objects.filter(pk=member.pk, ended_at__isnull=False)
    if not ended.update(ended_at=None, role=role, joined_at=timezone.now()):
        raise AlreadyMember(user, team)
    member.refresh_from_db()
    return member


def create_program(team: Team, name: str) -> Membership:
    """Create a membership without a user, for a program.

    Raises ProgramNameTaken if the team has one of that name.
    """
    return _save_name(Membership(team=team, kind=Kind.PROGRAM), name)


def rename_program(program: Membership, name: str) -> None:
    """Rename the program; raise ProgramNameTaken if the team has another one of that name."""
    _save_name(program, name)


def lock_team(team: Team) -> None:
    """Lock the row of the team until the transaction ends, to serialise changes of roles and memberships.

    FOR NO KEY UPDATE: inserts of rows that reference the team need not wait.
    """
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)


@transaction.atomic
def leave(member: Membership) -> bool:
    """End the membership and revoke its API tokens.

    False if it had ended before, LastOwner if no owner would be left. `office.members.service.end_membership`
    also returns its credits.
    """
    lock_team(member.team)
    _check_not_last_owner(member)
    teams_api_tokens.revoke_all(member)
    return Membership.objects.filter(pk=member.pk, ended_at=None).update(ended_at=timezone.now()) == 1


@transaction.atomic
def set_role(member: Membership, role: Role) -> None:
    """Change the role of the member; raise LastOwner if no owner would be left."""
    lock_team(member.team)
    if role != Role.OWNER:
        _check_not_last_owner(member)
    Membership.objects.filter(pk=member.pk).update(role=role)
    member.role = role


def _save_name(program: Membership, name: str) -> Membership:
    program.name = name
    try:
        with transaction.atomic():
            program.save(update_fields=["name"] if program.pk else None)
    except IntegrityError:
        raise ProgramNameTaken(name) from None
    return program


def _check_not_last_owner(member: Membership) -> None:
    """Raise LastOwner if the member is the only owner who can sign in.

    The caller has locked the row of the team.
    """
    owners = Membership.objects.filter(team=member.team_id, role=Role.OWNER, ended_at=None)
    able_to_sign_in = set(owners.filter(user__is_active=True).values_list("pk", flat=True))
    if able_to_sign_in == {member.pk}:
        raise LastOwner(member)
