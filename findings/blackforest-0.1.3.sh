#!/bin/sh
# blackforest (PyPI, 0.1.3), the maker's own client of Flux, cannot be pointed at a gateway, and hides how a task ended.
#
# Seen with Python 3.11 and a local server that speaks Black Forest Labs' task protocol:
#   1. The last part of a base URL's path is dropped: with https://HOST/flux it posts to https://HOST/v1/…, with
#      https://HOST/gateway/bfl to https://HOST/gateway/v1/…, and sends the key there.
#   2. An answer with `{"id"}` alone, as older gateways give, ends in KeyError: 'polling_url'. The task is bought, and its
#      id is lost with the error.
#   3. Request Moderated, Content Moderated, Error and Task not found are asked for again until all polls are used up (60,
#      one a second), and end as "Polling exceeded maximum retries": a refusal cannot be told from a slow picture.
#   4. What is wrong with a request (422, `{"detail": [{"loc", "msg"}]}`) is not in the error, which has the status alone.
#   5. A connection that is refused raises UnboundLocalError, so `except BFLError` does not catch it.
# So a server that wants to be used by it must stand at the root of a host, and answer orders with a polling_url.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check blackforest==0.1.3
cat >see.py <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from blackforest import BFLClient
from blackforest.types.general.client_config import ClientConfig

paths, answers = [], []


class Flux(BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        paths.append(self.path)
        status, value = answers.pop(0) if len(answers) > 1 else answers[0]
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Flux)
threading.Thread(target=server.serve_forever, daemon=True).start()
HOST = f"http://127.0.0.1:{server.server_port}"
TAKEN = (200, {"id": "t", "polling_url": f"{HOST}/v1/get_result?id=t"})
WAIT = ClientConfig(sync=True, max_retries=3, polling_interval=0.1)


def see(name, *said, base=HOST, config=None):
    paths.clear()
    answers[:] = said
    try:
        ended = type(BFLClient("key", base_url=base).generate("flux-pro-1.1", {"prompt": "a boat"}, config)).__name__
    except Exception as problem:
        ended = f"{type(problem).__name__}: {problem}".replace(HOST, "HOST")
    print(f"{name}: {len(paths)} requests, {paths[0] if paths else 'none'}, {ended}")


see("usual", TAKEN)
see("below /flux", TAKEN, base=f"{HOST}/flux")
see("below /gateway/bfl", TAKEN, base=f"{HOST}/gateway/bfl")
see("an id alone", (200, {"id": "t"}))
for word in ("Request Moderated", "Content Moderated", "Error", "Task not found"):
    see(word, TAKEN, (200, {"id": "t", "status": word, "result": None}), config=WAIT)
see("422", (422, {"detail": [{"loc": ["body", "seed"], "msg": "must be positive", "type": "value_error"}]}))
server.shutdown()
server.server_close()
see("nobody listens", TAKEN)
PYTHON
venv/bin/python see.py | grep -v -e '^Polling task' -e 'Attempt [0-9]' >said
cat said
diff - said <<'SEEN'
usual: 1 requests, /v1/flux-pro-1.1, AsyncResponse
below /flux: 1 requests, /v1/flux-pro-1.1, AsyncResponse
below /gateway/bfl: 1 requests, /gateway/v1/flux-pro-1.1, AsyncResponse
an id alone: 1 requests, /v1/flux-pro-1.1, KeyError: 'polling_url'
Request Moderated: 4 requests, /v1/flux-pro-1.1, BFLError: Error getting synchronous result: Polling exceeded maximum retries (3)
Content Moderated: 4 requests, /v1/flux-pro-1.1, BFLError: Error getting synchronous result: Polling exceeded maximum retries (3)
Error: 4 requests, /v1/flux-pro-1.1, BFLError: Error getting synchronous result: Polling exceeded maximum retries (3)
Task not found: 4 requests, /v1/flux-pro-1.1, BFLError: Error getting synchronous result: Polling exceeded maximum retries (3)
422: 1 requests, /v1/flux-pro-1.1, BFLError: API request failed: 422 Client Error: Unprocessable Entity for url: HOST/v1/flux-pro-1.1
nobody listens: 0 requests, none, UnboundLocalError: cannot access local variable 'response' where it is not associated with a value
SEEN
echo "blackforest does what was seen."
