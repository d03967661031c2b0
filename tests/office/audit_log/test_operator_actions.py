"""What operators do to provider accounts and to the queue stands in the log, and never a key."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from generations.credits import ledger
from generations.jobs.engine import operator_actions
from generations.jobs.models import Batch, Generation, Status
from generations.office.audit_log import sentences as audit_log_sentences
from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import Membership
from generations.upstreams.models import Upstream

KEY = "sk-1234567890abcdef"
FROM = "198.51.100.4"


@pytest.fixture
def operator(make_member):
    member = make_member("olga")
    member.user.is_staff = member.user.is_superuser = True
    member.user.save()
    return member


@pytest.fixture
def office(client, operator):
    """A browser in which the operator is signed in."""
    client.force_login(operator.user)
    client.defaults["REMOTE_ADDR"] = FROM
    return client


@pytest.fixture
def main(db):
    row = Upstream(name="Main", base_url="http://127.0.0.1:9/sd")
    row.set_key(KEY)
    row.save()
    return row


def newest_entry():
    """Sentence and detail of the newest entry, which has the operator's address."""
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor.name, entry.address) == ("Olga", FROM)
    return audit_log_sentences.sentence(entry), audit_log_sentences.detail(entry)


def count():
    return AuditEntry.objects.filter(actor__isnull=False).count()


def test_pausing_draining_and_resuming_are_in_the_log(office, main):
    path = f"/queue/upstream/{main.pk}"
    for verb, sentence in (
        ("pause", ("Olga paused the provider account Main", "was open")),
        ("resume", ("Olga resumed the provider account Main", "was paused by hand")),
        ("drain", ("Olga drained the provider account Main", "was open")),
        ("resume", ("Olga resumed the provider account Main", "was draining")),
    ):
        office.post(f"{path}/{verb}/")
        assert newest_entry() == sentence
    before = count()
    office.post(f"{path}/resume/")  # nothing was paused any more
    assert count() == before


def test_pausing_everything_writes_an_entry_for_each_account(office, main):
    Upstream.objects.create(name="Second", base_url="http://127.0.0.1:9")
    office.post("/queue/pause/")
    subjects = AuditEntry.objects.filter(act=AuditAction.UPSTREAM_CHANGED).values_list("subject", flat=True)
    assert sorted(subjects) == ["Main", "Second"]


def test_moving_in_the_queue_and_weights_are_in_the_log_of_the_team(office, member):
    office.post(f"/queue/member/{member.pk}/first/")
    assert newest_entry() == ("Olga served what Mei had waiting before all others", "pictures 0")
    office.post(f"/queue/member/{member.pk}/in-turn/")
    assert newest_entry()[0] == "Olga served what Mei had waiting in turn again"
    office.post(f"/queue/member/{member.pk}/weight/", {"weight": "3"})
    assert newest_entry() == ("Olga set the weight of Mei to 3", "was 1")
    assert AuditEntry.objects.latest("pk").team == member.team
    before = count()
    office.post(f"/queue/member/{member.pk}/weight/", {"weight": "3"})
    office.post(f"/queue/member/{member.pk}/weight/", {"weight": "99"})
    assert count() == before


@pytest.fixture
def lost(member):
    batch = Batch.objects.create(
        team=member.team, member=member, submission=uuid.uuid4(), model="core", count=1
    )
    late = timezone.now() - timezone.timedelta(hours=1)
    row = Generation.objects.create(
        batch=batch, team=member.team, member=member, position=0, model="core",
        parameters={"prompt": "x"}, price=1, virtual_start=0, status=Status.STORING, lease_until=late,
    )  # fmt: skip
    ledger.hold(member=member, amount=1, reference=row.pk)
    return row


@pytest.mark.parametrize("way", ["queue", "back office"])
def test_giving_up_a_generation_is_in_the_log_once(office, lost, way):
    for _ in range(2):
        if way == "queue":
            office.post(f"/queue/generation/{lost.pk}/give-up/")
        else:
            chosen = {"action": "give_up", "_selected_action": [str(lost.pk)]}
            office.post(reverse("admin:jobs_generation_changelist"), chosen)
    assert newest_entry()[0] == "Olga gave up a picture of Mei whose worker was lost, not charged"
    assert AuditEntry.objects.latest("pk").after["generation"] == str(lost.pk)
    assert count() == 1


def test_a_change_is_rolled_back_if_its_entry_cannot_be_written(office, member, monkeypatch):
    def full(by, event):
        raise RuntimeError("disk full")

    monkeypatch.setattr(operator_actions, "_audit_listeners", [full])
    with pytest.raises(RuntimeError):
        office.post(f"/queue/member/{member.pk}/weight/", {"weight": "3"})
    assert Membership.objects.get(pk=member.pk).weight == 1


def test_the_log_has_a_name_for_every_event():
    assert {str(kind) for kind in operator_actions.AuditKind} <= set(AuditAction.values)


def test_a_password_set_for_somebody_is_in_the_log_without_it(office, member):
    address = reverse("admin:auth_user_password_change", args=[member.user_id])
    secret = "another long passphrase"
    office.post(address, {"password1": "x", "password2": "y", "usable_password": "true"})
    assert count() == 0
    office.post(address, {"password1": secret, "password2": secret, "usable_password": "true"})
    assert newest_entry() == ("Olga set another password for mei@studio.example", "")
    chosen = {"action": "print_reset_links", "_selected_action": [str(member.user_id)]}
    office.post(reverse("admin:teams_user_changelist"), chosen)
    assert newest_entry() == ("Olga made a link on which mei@studio.example sets a password", "")
    assert secret not in str(list(AuditEntry.objects.values()))
