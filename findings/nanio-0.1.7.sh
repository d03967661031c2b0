#!/bin/sh
# nanio 0.1.7 (an S3 server in a wheel, on PyPI) answers some valid S3 requests otherwise than Amazon's S3.
# Seen with boto3 1.44.5 and Python 3.11. Each line below is what it did; the script fails if that changes.
#
#   1. PutObjectTagging replaces the object's bytes by the XML of the request; DeleteObjectTagging deletes
#      the object; GetObjectTagging answers the object's bytes. DeleteBucketTagging deletes an empty bucket.
#   2. If-None-Match: * on PutObject is ignored: what is there is overwritten (S3: 412).
#   3. A range past the end and a range from the end are 400 InvalidArgument (S3: 206 and 416).
#   4. ListObjectsV2 with a delimiter says only those folders that it came upon before the page was full, and
#      says them again on later pages.
#   5. ListObjectsV2 over pages loses keys where one name is the beginning of another ("a/x" and "a-b").
#   6. ListObjects (version 1) ignores Marker: every page is the first one.
#   7. CopyObject with MetadataDirective REPLACE keeps the old metadata.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nanio==0.1.7 boto3==1.44.5
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export NANIO_ACCESS_KEY=access NANIO_SECRET_KEY=secret-of-this-script
"$folder/venv/bin/nanio" serve --host 127.0.0.1 --port "$port" --data-dir "$folder/data" --log-level error --no-access-log &
server=$!
"$folder/venv/bin/python" - "$port" >"$folder/said" <<'PYTHON'
import socket, sys, time
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
port = int(sys.argv[1])
for _try in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            break
    time.sleep(0.1)
config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, read_timeout=10,
                request_checksum_calculation="when_required", response_checksum_validation="when_required")
s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", config=config,
                  aws_access_key_id="access", aws_secret_access_key="secret-of-this-script")

def bucket(name, *keys):
    s3.create_bucket(Bucket=name)
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=b"0123456789")
    return name

def status(call, **arguments):
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

def body(name, key):
    return s3.get_object(Bucket=name, Key=key)["Body"].read()

b = bucket("tags", "a", "b")
tags = {"TagSet": [{"Key": "k", "Value": "v"}]}
print("tagging", status(s3.put_object_tagging, Bucket=b, Key="a", Tagging=tags), body(b, "a")[:8])
print("untagging", status(s3.delete_object_tagging, Bucket=b, Key="b"), status(s3.head_object, Bucket=b, Key="b"))
e = bucket("empty")
print("bucket", status(s3.delete_bucket_tagging, Bucket=e), status(s3.head_bucket, Bucket=e))
b = bucket("conditions", "a")
print("if-none-match", status(s3.put_object, Bucket=b, Key="a", Body=b"second", IfNoneMatch="*"), body(b, "a"))
b = bucket("ranges", "a")
print("ranges", *(status(s3.get_object, Bucket=b, Key="a", Range=f"bytes={r}") for r in ("8-99", "-3", "10-")))
b = bucket("folders", "a/1", "b", "c", "d", "e/1")
one = s3.list_objects_v2(Bucket=b, Delimiter="/", MaxKeys=2)
two = s3.list_objects_v2(Bucket=b, Delimiter="/", MaxKeys=2, ContinuationToken=one["NextContinuationToken"])
print("folders", [[p["Prefix"] for p in page.get("CommonPrefixes", [])] for page in (one, two)])
b = bucket("pages", "a/x", "a-b", "z")
one = s3.list_objects_v2(Bucket=b, MaxKeys=1)
two = s3.list_objects_v2(Bucket=b, MaxKeys=2, ContinuationToken=one["NextContinuationToken"])
print("pages", [[c["Key"] for c in page["Contents"]] for page in (one, two)])
one = s3.list_objects(Bucket=b, MaxKeys=1)
two = s3.list_objects(Bucket=b, MaxKeys=1, Marker=one["Contents"][-1]["Key"])
print("version 1", [[c["Key"] for c in page["Contents"]] for page in (one, two)])
s3.copy_object(Bucket=b, Key="z", CopySource={"Bucket": b, "Key": "z"}, Metadata={"mtime": "1"}, MetadataDirective="REPLACE")
print("copy", s3.head_object(Bucket=b, Key="z")["Metadata"])
PYTHON
cat "$folder/said"
diff - "$folder/said" <<'SEEN'
tagging 200 b'<Tagging'
untagging 204 404
bucket 204 404
if-none-match 200 b'second'
ranges 400 400 400
folders [['a/'], ['a/', 'e/']]
pages [['a/x'], ['z']]
version 1 [['a/x'], ['a/x']]
copy {}
SEEN
echo "nanio 0.1.7 does what was seen."
