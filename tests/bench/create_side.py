"""The part of the benchmark of Create that asks the database: `FILE PEOPLE STREAM` fills it, and tells."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from django.core.management import call_command

from generations.library.models import Image
from generations.office.members import service as members_service
from generations.teams.models import Team, User
from tests.bench import screen_side, systems_side

TEAM = "Create"
# As long as that of a picture of which a thumbnail was asked for.
PLACEHOLDER = "data:image/webp;base64," + 128 * "A"
NOBODY = "http://127.0.0.1:9"  # what is pressed here waits


def fill(file: str, people: str, stream: str) -> None:
    """Accounts with every model; so many people without a picture and so many with a stream of pictures."""
    systems_side.prepare(file, NOBODY, "sk-nobody")
    systems_side.gateway(file, NOBODY, "sk-nobody")
    call_command("fill_library", int(people) * int(stream), team=TEAM, people=1, tags=20, verbosity=0)
    team = Team.objects.get(name=TEAM)
    Image.objects.filter(team=team).update(placeholder=PLACEHOLDER)
    said = {
        "team": team.slug,
        "models": json.loads(Path(file).read_text())["models"],
        "0": [_person(team, f"new-{number}") for number in range(int(people))],
        stream: [_person(team, f"old-{number}", int(stream)) for number in range(int(people))],
    }
    Path(file).write_text(json.dumps(said))


def _person(team: Team, name: str, stream: int = 0) -> str:
    """The session of somebody whose stream has so many of the library's pictures, and what they look like."""
    user = User.objects.create_user(f"{name}@bench.example", None, name=name.title())
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    member = members_service.add_member(user=user, team=team, granted=screen_side.GRANTED)
    pictures = list(Image.objects.filter(team=team, generation=None)[:stream])
    for start in range(0, len(pictures), screen_side.PER_BATCH):
        screen_side.add_batch(member, pictures[start : start + screen_side.PER_BATCH])
    return screen_side.cookie(user)


if __name__ == "__main__":
    fill(*sys.argv[1:])
