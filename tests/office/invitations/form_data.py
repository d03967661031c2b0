"""What is typed where people are invited and come in, and the link that a page or a mail holds."""

import re
import uuid

PASSWORD = "correct horse battery"


def form(**changes):
    return {"reference": uuid.uuid4(), "role": "member", "days": "7", "uses": "1", "credits": ""} | changes


def invite_page(member, how="link"):
    return f"/t/{member.team.slug}/team/people/invite/?by={how}"


def account(**changes):
    return {"name": "Kim Park", "email": "kim@example.org", "password1": PASSWORD} | changes


def link_in(text):
    return "/" + re.search(r"https?://[^/\s\"]+/(join/[\w-]+/)", text)[1]
