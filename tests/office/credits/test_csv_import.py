"""Grants from CSV files: formats that are accepted, and ambiguous values that are refused."""

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from generations.credits import ledger
from generations.credits.models import Account, Transfer
from generations.office.credits import csv_import
from generations.office.members import service as members_service
from generations.office.models import AuditAction, AuditEntry
from generations.teams.models import Membership, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio(team, make_member, client):
    """Ana the administrator is signed in; Mei, Tom and a program are there, 500 credits in the pool."""
    ledger.issue(team=team, amount=500_00, reference=uuid.uuid4())
    client.force_login(make_member("ana", role=Role.ADMINISTRATOR).user)
    make_member("mei"), make_member("tom")
    program = Membership.objects.create(team=team, kind="program", name="API: Storyboard")
    ledger.open_wallet(program)
    return team


def balance(name):
    return Account.objects.get(membership__user__email=f"{name}@studio.example").balance


def amounts_of(team, text):
    parsed = csv_import.parse(team, text)
    return [(str(each.member), each.amount, each.note) for each in parsed.amounts]


def errors_of(team, text):
    return [(each.line, each.reason) for each in csv_import.parse(team, text).errors]


def send(client, team, content):
    file = SimpleUploadedFile("grants.csv", content if isinstance(content, bytes) else content.encode())
    return client.post(f"/t/{team.slug}/team/grant-csv/", {"file": file})


def grant_previewed(client, team, preview):
    """Press the button of the preview, as often as asked."""
    words = preview.content.decode()
    [reference] = re.findall(r'name="reference" value="([^"]+)"', words)
    form = {"lines": preview.context["grant_form"]["lines"].value(), "reference": reference}
    return client.post(f"/t/{team.slug}/team/grant-csv/", form)


def test_a_file_is_previewed_and_then_granted_once(client, studio):
    preview = send(
        client, studio, "email,credits,note\nmei@studio.example,100,spring\ntom@studio.example,12.5\n"
    )
    assert "2 members are granted" in preview.content.decode()
    assert balance("mei") == 100_00  # nothing moved yet
    for sentence in ("2 members were granted 112.5 credits", "sent before; nothing more was moved."):
        assert grant_previewed(client, studio, preview).status_code == 302
        assert sentence in client.get(f"/t/{studio.slug}/team/").content.decode()
    assert (balance("mei"), balance("tom")) == (200_00, 112_50)
    assert Account.objects.get(team=studio).balance == 387_50
    assert Transfer.objects.get(amount=100_00, kind="grant", note="spring").member.user.name == "Mei"
    assert AuditEntry.objects.get(act=AuditAction.GRANTED).after["total"] == 112_50


@pytest.mark.parametrize(
    "text",
    [
        "mei@studio.example,12.5,spring\n",
        "\ufeffmei@studio.example;12,5;spring\r\n",
        "MEI@Studio.Example ; 12.50 ; spring ;;\n\n;;\n",
        'E-Mail,Credits,Note\n"mei@studio.example","12,5","spring"',
        "mei@studio.example\t12,5\tspring\r",
    ],
)
def test_files_of_common_spreadsheets_are_parsed(studio, text):
    content = text.encode()
    assert amounts_of(studio, csv_import.decode(content)) == [("Mei", 12_50, "spring")]


def test_a_program_is_found_by_name_and_a_note_may_contain_line_breaks(studio):
    text = 'api: storyboard,5,"one,\ntwo"\nmei@studio.example,6'
    assert amounts_of(studio, text) == [("API: Storyboard", 5_00, "one,\ntwo"), ("Mei", 6_00, "")]


@pytest.mark.parametrize("line", ["mei@studio.example,1,000", "mei@studio.example, 12, 5,,"])
def test_an_amount_that_a_comma_splits_is_refused(studio, line):
    [(number, reason)] = errors_of(studio, f"{line}\napi: storyboard,3,spring 2026\n")
    assert number == 1
    assert "may be one number or two" in reason
    assert amounts_of(studio, "mei@studio.example;1;000\n") == [("Mei", 1_00, "000")]


def test_quoted_characters_do_not_determine_the_delimiter(studio):
    Membership.objects.create(team=studio, kind="program", name="Studio, Main")
    assert amounts_of(studio, '"Studio, Main";12,5;spring\n') == [("Studio, Main", 12_50, "spring")]


def test_an_address_is_found_whatever_its_case(studio, make_member):
    make_member("straße")
    assert amounts_of(studio, "STRASSE@studio.example,5\nStraße@studio.example,5")[:1] == [
        ("Straße", 5_00, "")
    ]


def test_an_ambiguous_amount_is_refused(studio):
    ambiguous = "1,000|1.000|1 000|1'000|-5|+5|0|0,00||x|1e3|0x1|NaN|12.|.5|٣|99999999999.99|1234567890123"
    for amount in ambiguous.split("|"):
        [(line, reason)] = errors_of(studio, f"mei@studio.example;{amount};note\n")
        assert line == 1, amount
        assert "amount" in reason.lower(), amount


def test_every_wrong_row_is_reported_and_nothing_is_granted(client, studio, make_member):
    make_member("eve", team=members_service.create_team("Elsewhere"))
    members_service.end_membership(member=Membership.objects.get(user__email="tom@studio.example"))
    text = "\n".join(
        [
            "email,credits",
            "mei@studio.example,10",
            "eve@studio.example,10",
            "tom@studio.example,10",
            "mei@studio.example,20",
            "nobody",
            "",
            "api: storyboard,ten",
            "api: storyboard,1,2,3,4",
        ]
    )
    preview = send(client, studio, text)
    assert preview.status_code == 422
    assert [(each.line, each.reason) for each in preview.context["errors"]] == [
        (3, "Nobody in this team is called “eve@studio.example”."),
        (4, "“tom@studio.example” has left the team."),
        (5, "Mei is on line 2 already."),
        (6, "A line needs an email address or the name of a program, and an amount."),
        (8, "“ten” is not an amount. Write 1000 or 12.5: two decimals at most, no thousands signs."),
        (9, "There are more than three columns. Put quotes around a note that has a comma."),
    ]
    assert "6 lines are wrong" in preview.content.decode()
    assert 'name="lines"' not in preview.content.decode()
    assert balance("mei") == 100_00


def test_a_file_that_became_invalid_after_the_preview_grants_nothing(client, studio):
    preview = send(client, studio, "mei@studio.example,10\ntom@studio.example,10\n")
    members_service.end_membership(member=Membership.objects.get(user__email="tom@studio.example"))
    answer = grant_previewed(client, studio, preview)
    assert answer.status_code == 422
    assert "has left the team" in answer.content.decode()
    assert balance("mei") == 100_00


def test_a_pool_with_too_little_is_reported_in_the_preview(client, studio):
    preview = send(client, studio, "mei@studio.example,400\ntom@studio.example,100.01\n")
    assert "The team lacks 0.01 credits for this." in preview.content.decode()
    assert 'name="lines"' not in preview.content.decode()
    form = {"lines": "mei@studio.example,500.01", "reference": uuid.uuid4()}
    answer = client.post(f"/t/{studio.slug}/team/grant-csv/", form)
    assert "Not enough credits" in answer.content.decode()
    assert balance("mei") == 100_00


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "There are no lines in this file."),
        (b"email,credits\n", "There are no lines in this file."),
        ("mei@studio.example,10,é".encode("latin-1"), "This is not UTF-8 text."),
        (b"PK\x03\x04\xff\xfe", "This is not UTF-8 text."),
        (b"mei@studio.example,10\nx\0y,1", "This is not text."),
        (b'mei@studio.example,10\n"tom,5\n', "The quotes on this line do not match."),
        (b"a,1\n" * 10_001, "A file has at most 10,000 lines."),
        (b"x" * 1_000_001, "The file is larger than 1 MB."),
        (b"\n" * 900_000, "A file has at most 10,000 lines."),
        (b"\r" * 900_000, "A file has at most 10,000 lines."),
    ],
)
def test_an_unreadable_file_is_refused_with_a_message(client, studio, content, message):
    answer = send(client, studio, content)
    assert answer.status_code == 422
    assert message in [each.reason for each in answer.context["parsed"].errors][-1]
    assert Account.objects.get(team=studio).balance == 500_00


def test_a_form_without_a_file_asks_for_one(client, studio):
    answer = client.post(f"/t/{studio.slug}/team/grant-csv/", {})
    assert "Choose a file." in answer.content.decode()


def test_texts_of_a_file_are_escaped(client, studio):
    words = send(client, studio, "<script>x</script>,5\n").content.decode()
    assert "<script>x" not in words
    words = send(client, studio, "mei@studio.example,5,</textarea><script>x</script>\n").content.decode()
    assert "<script>x" not in words


def test_a_file_grants_to_thousands_of_members(client, studio):
    count = 2_000
    made = [Membership(team=studio, kind="program", name=f"p{number}") for number in range(count)]
    Membership.objects.bulk_create(made)
    preview = send(client, studio, "".join(f"p{number},0.0{number % 9 + 1}\n" for number in range(count)))
    assert "and 1,800 more members" in preview.content.decode()
    assert grant_previewed(client, studio, preview).status_code == 302
    assert Transfer.objects.filter(kind="grant", member__kind="program").count() == count
    with connection.cursor() as cursor:
        # As PostgreSQL does by itself soon; without, the check that follows takes minutes.
        cursor.execute("ANALYZE")


def test_the_largest_file_is_granted_although_a_browser_sends_longer_line_breaks(client, studio):
    text = "mei@studio.example,5\n" + (" " * 98 + "\n") * 10_000
    form = {"lines": text.replace("\n", "\r\n"), "reference": uuid.uuid4()}
    assert send(client, studio, text).status_code == 200
    assert client.post(f"/t/{studio.slug}/team/grant-csv/", form).status_code == 302


@pytest.mark.parametrize(
    ("lines", "message"),
    [("", "There are no lines in this file."), ("x" * 1_020_001, "The file is larger than 1 MB.")],
)
def test_rows_that_cannot_be_granted_are_refused_with_a_message(client, studio, lines, message):
    form = {"lines": lines, "reference": uuid.uuid4()}
    answer = client.post(f"/t/{studio.slug}/team/grant-csv/", form)
    assert answer.status_code == 422
    assert message in answer.content.decode()
