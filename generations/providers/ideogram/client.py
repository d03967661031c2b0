"""Client of Ideogram's API, at Ideogram or at a gateway.

Sources: docs/providers/ideogram.md, "Addresses", "Answers" and "Statuses"; docs/providers/gateways.md,
"Prefixes".
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from generations.providers.base import Accepted, Done, ImageRequest, Refused, Task, Unknown
from generations.providers.catalogue import registry as catalogue_registry
from generations.providers.catalogue.validation import validated
from generations.providers.i18n import gettext as _
from generations.providers.ideogram.endpoints import ENDPOINTS
from generations.providers.ideogram.errors import AT_GATEWAY, AT_MAKER
from generations.providers.ideogram.responses import parse_response
from generations.providers.transport import errors as transport_errors
from generations.providers.transport.api import Api

RESULT_HOSTS = ("ideogram.ai", ".ideogram.ai")
NOT_SERVED = (404, 405, 410)
NO_TASK = "/v2/generations/none"  # asking for a task that is not there costs nothing, and tries the key


class Ideogram:
    """One account. The key is sent to `base_url` only and is in no text, not even in `repr`."""

    polls_count_as_calls = True  # every call answers at once; nothing is polled

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
        self._api = Api(
            base_url,
            key,
            client_id=client_id,
            proxy=proxy,
            at_gateway=at_gateway,
            key_header="Api-Key",
            key_scheme="",
        )
        self._table = AT_GATEWAY if at_gateway else AT_MAKER
        self.result_hosts: tuple[str, ...] = (*RESULT_HOSTS, urlsplit(base_url).hostname or "")

    def __repr__(self) -> str:
        return f"Ideogram({self._api.base_url!r})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Request one image or description; raises what `base.Provider.submit` raises.

        Where a call has two paths and the first is not served, nothing was bought, and the other is tried.
        """
        endpoint = ENDPOINTS.get(request.model)
        if endpoint is None:
            raise Refused(_("This provider does not have the model."))
        content = endpoint.write(endpoint, request, validated(request))
        deadline = time.monotonic() + timeout
        for path in endpoint.paths_for(request):
            reply = self._api.post(path, timeout=deadline - time.monotonic(), **content)
            if reply.status not in NOT_SERVED:
                break
        if reply.status not in (200, 201):
            raise transport_errors.to_error(reply, self._api.key, self._table, _titles(request))
        return parse_response(reply, self._api.key, self._table)

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Raise Unknown: what is asked for here is answered at once, and there are no tasks."""
        raise Unknown(_("This provider has no tasks."))

    def balance(self, *, timeout: float) -> float | None:
        """Return None: Ideogram says what is left nowhere. Raises as `submit` does if it refuses the key."""
        reply = self._api.get(NO_TASK, timeout=timeout)
        if reply.status in (200, 400, *NOT_SERVED):
            return None
        raise transport_errors.to_error(reply, self._api.key, self._table)


def _titles(request: ImageRequest) -> dict[str, str]:
    """The translated titles of a request's images, by their roles."""
    declared = catalogue_registry.get(request.model)
    return {each.role: _(each.title) for each in declared.inputs if each.role in request.roles}
