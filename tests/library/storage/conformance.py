"""What the portal, `aws s3 sync` and rclone ask of an S3 server, one check each; by itself or in a test.

python -m tests.library.storage.conformance http://127.0.0.1:9000 ACCESS_KEY SECRET_KEY
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

MEGABYTE = 2**20
NAMES = ("a-b", "a.txt", "a/x", "a/y/z", "a0", "b/1", "b/10", "b/2", "b-", "c/1", "d")
MAX_PAGES = 40  # of a listing that does not end


class Server:
    """An S3 server, and a bucket of its own for each check."""

    def __init__(self, url: str, access_key: str, secret_key: str) -> None:
        self.url, self.access_key, self.secret_key = url, access_key, secret_key
        self.s3 = self.client()

    def client(self, **options: Any) -> Any:
        """A client as the portal's own, or with other options."""
        config = {
            "signature_version": "s3v4",
            "s3": {"addressing_style": "path"},
            "retries": {"max_attempts": 0},
            "connect_timeout": 3,
            "read_timeout": 10,
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
        keys = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        keys |= {name: options.pop(name) for name in list(options) if name in keys}
        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", config=Config(**config | options), **keys
        )

    def bucket(self, *names: str) -> str:
        """A new bucket with small objects of these names."""
        name = f"check-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=name)
        for key in names:
            self.s3.put_object(Bucket=name, Key=key, Body=key.encode())
        return name


Check = Callable[[Server], None]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Make it one of the checks."""
    CHECKS[function.__name__] = function
    return function


def run(server: Server) -> dict[str, str]:
    """What is wrong, by check; empty for those that pass."""
    return {name: _problem(function, server) for name, function in CHECKS.items()}


def _problem(function: Check, server: Server) -> str:
    try:
        function(server)
    except (AssertionError, BotoCoreError, ClientError, HTTPClientError, requests.RequestException) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:160]
    return ""


def _status(call: Callable[..., Any], **arguments: Any) -> int:
    try:
        return int(call(**arguments)["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


# Objects ------------------------------------------------------------------------------------


@check
def an_object_is_what_was_put(server: Server) -> None:
    bucket, data = server.bucket(), os.urandom(300_000)
    put = {"ContentType": "image/png", "Metadata": {"attempt": "1", "finish-reason": "a%20b"}}
    server.s3.put_object(Bucket=bucket, Key="images/1/1-x.png", Body=data, **put)
    got = server.s3.get_object(Bucket=bucket, Key="images/1/1-x.png")
    assert got["Body"].read() == data
    assert (got["ContentType"], got["Metadata"]) == (put["ContentType"], put["Metadata"])
    assert got["ETag"].strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest()
    head = server.s3.head_object(Bucket=bucket, Key="images/1/1-x.png")
    assert (head["ContentLength"], head["Metadata"]) == (len(data), put["Metadata"])


@check
def what_is_not_there_is_404(server: Server) -> None:
    bucket = server.bucket()
    assert _status(server.s3.head_object, Bucket=bucket, Key="none") == 404
    assert _status(server.s3.get_object, Bucket=bucket, Key="none") == 404
    assert _status(server.s3.delete_object, Bucket=bucket, Key="none") == 204
    assert _status(server.s3.head_bucket, Bucket="no-such-bucket-here") == 404


@check
def names_have_any_letters(server: Server) -> None:
    names = ["a b", "c+d", "e&f=g", "hü", "j:k", "l(m)", "n'o", "p~q", "r@s"]
    wrong = {}
    for name in names:
        bucket = server.bucket()
        if _status(server.s3.put_object, Bucket=bucket, Key=name, Body=b"x") != 200:
            wrong[name] = "put"
        elif _all_pages(server, bucket) != [name]:
            wrong[name] = "listed"
    assert not wrong, wrong


@check
def a_bucket_is_made_once(server: Server) -> None:
    bucket = server.bucket()
    assert _status(server.s3.create_bucket, Bucket=bucket) in {200, 409}
    assert bucket in [each["Name"] for each in server.s3.list_buckets()["Buckets"]]


@check
def many_objects_are_deleted_at_once(server: Server) -> None:
    bucket = server.bucket("a", "b", "c")
    keys = [{"Key": "a"}, {"Key": "b"}, {"Key": "none"}]
    server.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert _all_pages(server, bucket) == ["c"]


@check
def a_large_object_goes_in_parts(server: Server) -> None:
    bucket, data = server.bucket(), os.urandom(11 * MEGABYTE)
    parts = TransferConfig(multipart_threshold=5 * MEGABYTE, multipart_chunksize=5 * MEGABYTE)
    server.s3.upload_fileobj(io.BytesIO(data), bucket, "large", Config=parts)
    got = server.s3.get_object(Bucket=bucket, Key="large")
    assert got["Body"].read() == data
    assert got["ETag"].strip('"').endswith("-3")


@check
def a_copy_replaces_metadata(server: Server) -> None:
    """So rclone sets a time."""
    bucket = server.bucket("a")
    copied = {"CopySource": {"Bucket": bucket, "Key": "a"}, "Metadata": {"mtime": "1"}}
    server.s3.copy_object(Bucket=bucket, Key="a", MetadataDirective="REPLACE", **copied)
    assert server.s3.head_object(Bucket=bucket, Key="a")["Metadata"] == {"mtime": "1"}


@check
def newer_checksums_are_taken(server: Server) -> None:
    """As aws and boto3 send them unless told otherwise."""
    bucket, client = server.bucket(), server.client(request_checksum_calculation="when_supported")
    client.put_object(Bucket=bucket, Key="a", Body=b"a picture")
    client.upload_fileobj(io.BytesIO(b"a picture"), bucket, "b")
    assert server.s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"a picture"


# Parts and conditions -----------------------------------------------------------------------


@check
def ranges_are_what_http_says(server: Server) -> None:
    bucket = server.bucket()
    server.s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    for asked, data in {"0-3": b"0123", "4-": b"456789", "-3": b"789", "8-99": b"89"}.items():
        got = server.s3.get_object(Bucket=bucket, Key="a", Range=f"bytes={asked}")
        assert got["Body"].read() == data, asked
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert _status(server.s3.get_object, Bucket=bucket, Key="a", Range="bytes=10-") == 416


@check
def if_none_match_keeps_what_is_there(server: Server) -> None:
    bucket = server.bucket()
    assert _status(server.s3.put_object, Bucket=bucket, Key="a", Body=b"first", IfNoneMatch="*") == 200
    assert _status(server.s3.put_object, Bucket=bucket, Key="a", Body=b"second", IfNoneMatch="*") == 412
    assert server.s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"first"


@check
def what_did_not_change_is_304(server: Server) -> None:
    bucket = server.bucket("a")
    etag = server.s3.head_object(Bucket=bucket, Key="a")["ETag"]
    assert _status(server.s3.get_object, Bucket=bucket, Key="a", IfNoneMatch=etag) == 304
    assert _status(server.s3.get_object, Bucket=bucket, Key="a", IfMatch='"other"') == 412


# Requests about other things than bytes -------------------------------------------------------


@check
def tags_and_rights_leave_the_bytes(server: Server) -> None:
    """Supported or refused, as long as the object is what it was."""
    bucket, key = server.bucket(), "a"
    server.s3.put_object(Bucket=bucket, Key=key, Body=b"a picture")
    named = {"Bucket": bucket, "Key": key}
    tags = {"TagSet": [{"Key": "kept", "Value": "yes"}]}
    _status(server.s3.put_object_tagging, Tagging=tags, **named)
    _status(server.s3.put_object_acl, ACL="private", **named)
    _status(server.s3.put_object_legal_hold, LegalHold={"Status": "OFF"}, **named)
    _status(server.s3.delete_object_tagging, **named)
    assert server.s3.get_object(**named)["Body"].read() == b"a picture"


@check
def questions_about_tags_do_not_answer_bytes(server: Server) -> None:
    bucket = server.bucket("a")
    assert server.client().generate_presigned_url  # signed as any other request
    url = server.s3.generate_presigned_url("get_object_tagging", Params={"Bucket": bucket, "Key": "a"})
    answer = requests.get(url, timeout=10)
    assert answer.content != b"a"
    assert answer.status_code in {200, 501}


@check
def changing_a_bucket_does_not_delete_it(server: Server) -> None:
    bucket = server.bucket()
    _status(server.s3.delete_bucket_tagging, Bucket=bucket)
    _status(server.s3.delete_bucket_policy, Bucket=bucket)
    assert _status(server.s3.head_bucket, Bucket=bucket) == 200


# Listings ------------------------------------------------------------------------------------


@check
def listings_are_whole_and_in_byte_order(server: Server) -> None:
    bucket = server.bucket(*NAMES)
    expected = sorted(NAMES, key=str.encode)
    for size in (1, 2, 3, 1000):
        assert _all_pages(server, bucket, MaxKeys=size) == expected, size


@check
def listings_begin_where_they_are_told(server: Server) -> None:
    bucket = server.bucket(*NAMES)
    assert _all_pages(server, bucket, Prefix="b/1") == ["b/1", "b/10"]
    assert _all_pages(server, bucket, Prefix="b/", StartAfter="b/1") == ["b/10", "b/2"]


@check
def folders_are_listed_once_each(server: Server) -> None:
    """Over pages too: `aws s3 ls` and rclone look into a bucket so."""
    bucket = server.bucket(*NAMES, *(f"folder-{number}/x" for number in range(9)))
    expected = ["a/", "b/", "c/", *(f"folder-{number}/" for number in range(9))]
    for size in (2, 5, 1000):
        keys, folders = _entries(server, bucket, Delimiter="/", MaxKeys=size)
        assert sorted(folders) == expected, size
        assert keys == ["a-b", "a.txt", "a0", "b-", "d"], size
        assert _entries(server, bucket, Delimiter="/", Prefix="a/", MaxKeys=size) == (["a/x"], ["a/y/"])


@check
def listings_of_version_one_end(server: Server) -> None:
    """s3cmd, older rclone and s5cmd with --use-list-objects-v1 ask so."""
    bucket = server.bucket(*NAMES)
    found: list[str] = []
    more: dict[str, Any] = {}
    for _page in range(MAX_PAGES):
        page = server.s3.list_objects(Bucket=bucket, MaxKeys=2, **more)
        found += [each["Key"] for each in page.get("Contents", [])]
        if not page["IsTruncated"]:
            break
        more = {"Marker": page.get("NextMarker") or page["Contents"][-1]["Key"]}
    assert found == sorted(NAMES, key=str.encode)


@check
def a_listing_says_what_a_head_says(server: Server) -> None:
    bucket = server.bucket("a")
    [listed] = server.s3.list_objects_v2(Bucket=bucket)["Contents"]
    head = server.s3.head_object(Bucket=bucket, Key="a")
    assert (listed["Size"], listed["ETag"]) == (head["ContentLength"], head["ETag"])
    assert abs((listed["LastModified"] - head["LastModified"]).total_seconds()) < 2


# Who may ask ---------------------------------------------------------------------------------


@check
def others_are_refused(server: Server) -> None:
    bucket = server.bucket("a")
    wrong = server.client(aws_secret_access_key="not-the-secret")
    assert _status(wrong.get_object, Bucket=bucket, Key="a") == 403
    assert requests.get(f"{server.url}/{bucket}/a", timeout=10).status_code in {401, 403}


@check
def a_signed_address_opens_an_object(server: Server) -> None:
    bucket = server.bucket("a")
    url = server.s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
    assert requests.get(url, timeout=10).content == b"a"


def _all_pages(server: Server, bucket: str, **options: Any) -> list[str]:
    return _entries(server, bucket, **options)[0]


def _entries(server: Server, bucket: str, **options: Any) -> tuple[list[str], list[str]]:
    """Keys and folders of all pages."""
    keys: list[str] = []
    folders: list[str] = []
    more: dict[str, str] = {}
    for _page in range(MAX_PAGES):
        page = server.s3.list_objects_v2(Bucket=bucket, **options, **more)
        keys += [each["Key"] for each in page.get("Contents", [])]
        folders += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        if not page.get("IsTruncated"):
            return keys, folders
        more = {"ContinuationToken": page["NextContinuationToken"]}
    raise AssertionError(f"The listing does not end after {MAX_PAGES} pages.")


if __name__ == "__main__":
    results = run(Server(*sys.argv[1:4]))
    for name, problem in results.items():
        sys.stdout.write(f"{'FAILED' if problem else 'passed'}  {name}  {problem}\n")
    sys.exit(1 if any(results.values()) else 0)
