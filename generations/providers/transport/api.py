"""An API with a base URL and a key: requests to its paths, with the header that the key is sent in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.providers.transport.http import Reply, exchange


class Api:
    """The API of one account. The key is sent to `base_url` only and is in no text, not even in `repr`.

    At a gateway the key is sent as `Authorization: Bearer`. At the maker it is sent in `key_header`, after
    `key_scheme` if that is not empty.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        client_id: str = "sdweb",
        proxy: str = "",
        at_gateway: bool = False,
        key_header: str = "Authorization",
        key_scheme: str = "Bearer",
    ) -> None:
        if at_gateway:
            key_header, key_scheme = "Authorization", "Bearer"
        self.base_url = base_url.rstrip("/")
        self.key = key
        self._proxy = proxy
        self._headers = {
            key_header: f"{key_scheme} {key}".lstrip(),
            "Accept": "application/json",
            "User-Agent": client_id,
        }

    def __repr__(self) -> str:
        return f"Api({self.base_url!r})"

    def get(self, path: str, *, timeout: float, params: Mapping[str, str] | None = None) -> Reply:
        """Ask for a path; raises Busy or Unknown if no answer comes."""
        return self.send("GET", path, timeout=timeout, params=params)

    def post(self, path: str, *, timeout: float, **content: Any) -> Reply:
        """Send `json`, or `files` and `data` as `requests` takes them; raises Busy or Unknown."""
        return self.send("POST", path, timeout=timeout, **content)

    def send(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> Reply:
        """Send a request to a path below the base URL, with these headers besides."""
        return exchange(
            method,
            self.base_url + path,
            timeout=timeout,
            proxy=self._proxy,
            headers=self._headers | dict(headers or {}),
            **content,
        )
