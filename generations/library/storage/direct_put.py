"""PUT an object from memory by the S3 client's signer and connections, without its other layers.

Of an upload's time the client's `put_object` spends more than half on parameters, events, endpoint rules and
retries. Here the same request is sent once. After anything but success the caller lets the client do it,
which repeats, follows redirects and raises its errors; for a minute all is left to it then.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

CLIENT_ALONE = 60.0  # seconds in which all is left to the client, after it had to help


class DirectPut:
    """Uploads to one bucket over the connections of one client: its addresses, certificates, credentials."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client: Any = client  # its stubs lack what is used here
        self._bucket = bucket
        self._client_alone_until = -math.inf

    def put(self, key: str, data: bytes, headers: Mapping[str, str]) -> bool:
        """Store an object with these headers; False if the client has to do it."""
        if time.monotonic() < self._client_alone_until:
            return False
        answer: int | str
        try:
            answer = self._send(key, data, headers)
        except BotoCoreError as problem:
            answer = type(problem).__name__
        if answer == 200:
            return True
        self._client_alone_until = time.monotonic() + CLIENT_ALONE
        log.info("The S3 client sends %s again: %s", key, answer)
        return False

    @cached_property
    def _address(self) -> str:
        """The address of the bucket, in the host's name or in the path as the client is told."""
        signed = self._client.generate_presigned_url(
            "put_object", Params={"Bucket": self._bucket, "Key": "k"}
        )
        return str(signed).partition("?")[0].removesuffix("k")

    def _send(self, key: str, data: bytes, headers: Mapping[str, str]) -> int:
        config = self._client.meta.config
        url = self._address + quote(key, safe="/~")
        request = AWSRequest("PUT", url, {"User-Agent": config.user_agent, **headers}, data)
        request.context["client_config"] = config
        self._client._request_signer.get_auth_instance(
            "s3", self._client.meta.region_name, config.signature_version
        ).add_auth(request)
        # Its own headers would be looked up without regard to case, once for each that is written.
        plain: Any = dict(request.headers.items())
        prepared = AWSPreparedRequest("PUT", url, plain, data, False)
        response = self._client._endpoint.http_session.send(prepared)
        response.content  # noqa: B018  read to its end, so that the connection can be used again
        return int(response.status_code)
