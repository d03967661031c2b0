"""Someone who invites, links to invite by, and browsers in which people are signed in."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client

from generations.office.audit_log.service import Actor
from generations.office.invitations.service import Offer, invite_by_link
from generations.teams import users as teams_users
from generations.teams.models import Role

WEEK = timedelta(days=7)
PASSWORD = "correct horse battery"


@pytest.fixture
def owner(make_member):
    return make_member("ana", role=Role.OWNER)


@pytest.fixture
def mail(settings):
    settings.EMAIL_URL = "smtp://host"
    settings.ACCOUNT_EMAIL_VERIFICATION, settings.ACCOUNT_EMAIL_NOTIFICATIONS = "mandatory", True


@pytest.fixture
def make_link(owner):
    """The path of a new invitation: make_link(role=..., start=hundredths, uses=..., lasts=...)."""

    def make(*, role=Role.MEMBER, start=0, uses=1, lasts=WEEK, by=owner):
        link = invite_by_link(
            inviter=by, form_id=uuid.uuid4(), offer=Offer(role, start, lasts), uses=uses, by=Actor(by.user)
        )
        return "/" + link.split("/", 3)[3]

    return make


@pytest.fixture
def signed_in():
    """A browser in which that person is signed in: signed_in(user)."""

    def open_for(user):
        client = Client()
        client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
        return client

    return open_for


@pytest.fixture
def tom(db):
    return teams_users.create(email="tom@example.org", password=PASSWORD, name="Tom")
