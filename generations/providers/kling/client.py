"""Client of Kling's API of images, at Kling or at a gateway.

Sources: docs/providers/kling.md, "Addresses and keys", "Fields", "Tasks" and "Statuses";
docs/providers/gateways.md, "Prefixes".
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from generations.providers.base import Accepted, Done, ImageRequest, Output, Refused, Task
from generations.providers.catalogue.common_fields import SIDES
from generations.providers.catalogue.inputs import IMAGE, REFERENCE
from generations.providers.catalogue.validation import validated
from generations.providers.i18n import gettext as _
from generations.providers.kling import errors as kling_errors
from generations.providers.kling import token as kling_token
from generations.providers.kling.models import HUNDREDTHS_OF_A_CENT
from generations.providers.transport import error_text, json_body
from generations.providers.transport.api import Api
from generations.providers.transport.http import Reply

GENERATIONS, OMNI = "/v1/images/generations", "/v1/images/omni-image"
EXPAND = "/v1/images/editing/expand"
SERIES = "-series"  # what a model's name ends with here that draws several pictures in a call
PATHS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("kling-v3", "kling-v2-1", "kling-v2", "kling-v1-5", "kling-v1"), GENERATIONS)
    | dict.fromkeys(("kling-v3-omni", "kling-v3-omni-series", "kling-image-o1"), OMNI)
    | {"kling-expand": EXPAND}
)
RESULT_HOSTS = (".klingai.com", ".inkwai.com", ".kwimgs.com", ".kechuangai.com")
TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
SUCCEEDED, FAILED = ("succeed", "succeeded"), ("failed",)  # any other state is under way
FIRST_POLL_AFTER, POLL_AFTER = 12.0, 5.0  # seconds
LARGEST_RATIO = 2.0  # of what is added on a side to the image's own length
LARGEST_AREA = 3.0  # of the extended image to that of the image
MAX_IMAGES = 10


class Kling:
    """One account, with one key or a pair `access:secret`.

    Key and token are sent to `base_url` only and are in no text, not even in `repr`.
    """

    polls_count_as_calls = True

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
        base_url = base_url.rstrip("/").removesuffix("/v1")
        self._api = Api(base_url, key, client_id=client_id, proxy=proxy, at_gateway=at_gateway)
        self._at_gateway = at_gateway
        self.result_hosts: tuple[str, ...] = (*RESULT_HOSTS, urlsplit(base_url).hostname or "")

    def __repr__(self) -> str:
        return f"Kling({self._api.base_url!r})"

    def submit(self, request: ImageRequest, *, timeout: float) -> Done | Accepted:
        """Order one image; raises what `base.Provider.submit` raises."""
        path = PATHS.get(request.model)
        if path is None:
            raise Refused(_("This provider does not have the model."))
        reply, secrets = self._send("POST", path, timeout, json=_body(request, validated(request)))
        data = _data(reply)
        task_id = json_body.text(data, "task_id", most=128)
        if not TASK_ID.fullmatch(task_id):
            raise kling_errors.to_error(reply, secrets)
        return Accepted(
            Task(task_id, state={"path": path}),
            FIRST_POLL_AFTER,
            request_id=_request_id(reply, secrets),
            status=reply.status,
        )

    def poll(self, task: Task, *, timeout: float) -> Done | Accepted:
        """Ask how a task is; raises what `base.Provider.poll` raises."""
        path = task.state.get("path") if task.state.get("path") in PATHS.values() else GENERATIONS
        reply, secrets = self._send("GET", f"{path}/{task.remote_id}", timeout)
        data, request_id = _data(reply), _request_id(reply, secrets)
        state = json_body.text(data, "task_status", most=40).lower()
        if state in FAILED:
            message = error_text.clean(json_body.text(data, "task_status_msg"), secrets, max_length=200)
            raise kling_errors.of_failed_task(message, reply.status, request_id)
        outputs = _outputs(data) if state in SUCCEEDED else ()
        if outputs:
            return Done(outputs, request_id, reply.status, cost=_cost(data))
        if not state or state in SUCCEEDED:
            raise kling_errors.to_poll_error(reply, secrets)
        return Accepted(task, POLL_AFTER, request_id=request_id, status=reply.status)

    def balance(self, *, timeout: float) -> float | None:
        """Return None: Kling says what is left nowhere. A list of tasks tells whether it takes the key."""
        reply, secrets = self._send("GET", f"{GENERATIONS}?pageNum=1&pageSize=1", timeout)
        if reply.status in (404, 405) or json_body.number(json_body.parse(reply.body), "code") == 0:
            return None
        raise kling_errors.to_error(reply, secrets)

    def _send(self, method: str, path: str, timeout: float, **content: Any) -> tuple[Reply, str]:
        """The answer, and what must not be in a text made of it: the key, and the token made of it."""
        token = self._api.key if self._at_gateway else kling_token.bearer(self._api.key)
        headers = {"Authorization": f"Bearer {token}"}
        reply = self._api.send(method, path, timeout=timeout, headers=headers, **content)
        return reply, self._api.key if token == self._api.key else f"{self._api.key} {token}"


def _body(request: ImageRequest, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an order; images are base64 without anything before it."""
    body = dict(parameters)
    if request.model == "kling-expand":
        body |= _expansion(body, request.of_role(IMAGE)[0].data)
    else:
        body["model_name"] = request.wire_name or request.model.removesuffix(SERIES)
    if request.model.endswith(SERIES):
        body |= {"result_type": "series", "series_amount": int(body["series_amount"])}
    if images := request.of_role(IMAGE):
        body["image"] = base64.b64encode(images[0].data).decode()
    if references := request.of_role(REFERENCE):
        body["image_list"] = [{"image": base64.b64encode(each.data).decode()} for each in references]
    return body


def _expansion(body: dict[str, Any], image: bytes) -> dict[str, float]:
    """How far each side is extended, as parts of the image's height or width, for the pixels in `body`."""
    with Image.open(io.BytesIO(image)) as opened:
        width, height = opened.size
    lengths = {"left": width, "right": width, "up": height, "down": height}
    ratios = {side: round(body.pop(side, 0) / length, 4) for side, length in lengths.items()}
    if max(ratios.values()) > LARGEST_RATIO:
        raise Refused(_("Each side can be extended by at most twice the length of the image."))
    area = (1 + ratios["left"] + ratios["right"]) * (1 + ratios["up"] + ratios["down"])
    if area > LARGEST_AREA:
        raise Refused(_("The extended image can have at most three times the area of the image."))
    return {f"{side}_expansion_ratio": ratios[side] for side in SIDES}


def _data(reply: Reply) -> Any:
    """The task in an answer whose code says that all is well; None in any other."""
    answer = json_body.parse(reply.body)
    is_well = reply.status in (200, 201, 202) and json_body.number(answer, "code") in (0, None)
    return json_body.value(answer, "data") if is_well else None


def _request_id(reply: Reply, secrets: str) -> str:
    """The request id of the body, as the maker writes it, or of the headers."""
    written = json_body.text(json_body.parse(reply.body), "request_id", most=100)
    safe = error_text.redact(written, secrets)
    return safe if re.fullmatch(r"[\w.:/=+-]{1,100}", safe, re.ASCII) else reply.request_id(secrets)


def _outputs(data: Any) -> tuple[Output, ...]:
    """The results of a task, by address."""
    result = json_body.value(data, "task_result")
    listed = json_body.value(result, "images") or json_body.value(result, "series_images")
    entries = listed[:MAX_IMAGES] if isinstance(listed, list) else []
    addresses = [json_body.text(entry, "url", most=8_192) for entry in entries]
    return tuple(Output(url=address) for address in addresses if address)


def _cost(data: Any) -> int | None:
    units = json_body.number(data, "final_unit_deduction")
    return round(units * HUNDREDTHS_OF_A_CENT) if units is not None and 0 <= units < 1_000_000 else None
