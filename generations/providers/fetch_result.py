"""Fetch a result that a provider gives by address."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlsplit

from generations.providers.base import Output
from generations.providers.i18n import gettext as _
from generations.providers.transport.download import DownloadFailed, download
from generations.providers.transport.media_check import InvalidImage, output_of

TIMEOUT = 60.0  # seconds in all
HOST = re.compile(r"[a-z0-9.:_-]{1,253}", re.ASCII)


class FetchFailed(Exception):
    """The result was not fetched; `again` if a later try may succeed. The text is for members."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def host_of(address: str) -> str:
    """Return the host of an address, for logs; "" if it has no plain one."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return host if HOST.fullmatch(host) else ""


def fetch(
    output: Output,
    *,
    hosts: Collection[str],
    allow_private: bool = False,
    proxy: str = "",
    timeout: float = TIMEOUT,
) -> Output:
    """Return the output with its bytes, type and size instead of its address. Raises FetchFailed.

    `hosts` are those that results may come from; no key is sent. `allow_private` allows addresses of private
    networks too.
    """
    try:
        file = download(output.url, hosts=hosts, timeout=timeout, allow_private=allow_private, proxy=proxy)
        fetched = output_of(file.data, output.seed, file.media_type)
    except DownloadFailed as problem:
        raise FetchFailed(problem.reason, again=problem.again) from None
    except InvalidImage:
        raise FetchFailed(_("What came is no whole image."), again=True) from None
    return replace(fetched, finish_reason=output.finish_reason, actions=output.actions)
