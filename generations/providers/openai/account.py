"""An account of an API in OpenAI's format: its address and key, and a question that costs nothing."""

from __future__ import annotations

from generations.providers.base import Accepted, Done, Refused, Task
from generations.providers.i18n import gettext as _
from generations.providers.openai import errors as openai_errors
from generations.providers.transport.api import Api

MODELS = "/v1/models"


class Account:
    """One account. The key is sent to `base_url` only and is in no text, not even in `repr`."""

    polls_count_as_calls = True
    result_hosts: tuple[str, ...] = ()

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        client_id: str = "sdweb",
        proxy: str = "",
        at_gateway: bool = False,
        dialect: str = "",
    ) -> None:
        # Most programs want the address with its version, so it is often given so.
        address = base_url.rstrip("/").removesuffix("/v1")
        self._api = Api(address, key, client_id=client_id, proxy=proxy, at_gateway=at_gateway)
        self._key = key
        self._at_gateway = at_gateway
        self._dialect = dialect

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._api.base_url!r})"

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Raise Refused: this API has no tasks."""
        raise Refused(_("This provider has no tasks."))

    def balance(self, *, timeout: float) -> float | None:
        """Return None, since nothing tells it, once a free question shows that the key is taken."""
        reply = self._api.get(MODELS, timeout=timeout)
        if reply.status in (200, 404, 405):
            return None
        raise openai_errors.to_error(reply, self._key)
