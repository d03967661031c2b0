"""The verbs of belonging to a team. A membership is never deleted: it ends, and may begin again."""

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from generations.teams.models import Membership, Role, Team, User

LONGEST = Team._meta.get_field("slug").max_length or 50


class AlreadyIn(Exception):
    """The person is in the team."""

    def __init__(self, user: User, team: Team) -> None:
        super().__init__(
            _("%(person)s is already a member of %(team)s.") % {"person": user.email, "team": team.name}
        )


def found_team(name: str) -> Team:
    """A new team, with an address made from its name."""
    return Team.objects.create(name=name, slug=free_slug(name))


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


def leave(member: Membership) -> bool:
    """End the membership; False if it had ended. `office.administration.dismiss` sees to the credits."""
    return Membership.objects.filter(pk=member.pk, ended_at=None).update(ended_at=timezone.now()) == 1
