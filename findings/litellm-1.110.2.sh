#!/bin/sh
# LiteLLM (PyPI: litellm 1.110.2) orders another picture from Stability than was asked for, or loses one that arrived.
#
# Seen with Python 3.11, on its own list of prices, and a local server that takes every request and sends a picture:
#   1. image_generation("stability/sd3.5-medium") posts to generate/sd3 without the field `model`, which decides there: the
#      provider draws with its default, sd3.5-large (6.5 credits), and LiteLLM books 0.035 USD, the price of medium.
#   2. Of n=3 one picture is ordered, and size="1536x1024" (a size of OpenAI's own models) is left out, so that a square
#      comes; both without an error, although other parameters that it does not know are refused.
#   3. image_edit of a model that is not on the list of prices, such as "stability/upscale-fast", calls the provider, gets
#      the picture, and raises APIConnectionError ("This model isn't mapped yet", status 500): it was paid for and is lost,
#      and whoever repeats connection errors buys it again. image_generation of such a model returns the picture.
# So a portal that serves Stability's format must draw what arrives, not what LiteLLM's log says was asked for; and
# a caller of image_edit needs the model's name in LiteLLM's price list before the first call.
# Exits 0 while this is so, 1 if the behaviour changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check litellm==1.110.2
cat >see.py <<'PYTHON'
import base64
import io
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
seen = []


class Provider(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        names = {name.decode() for name in re.findall(rb'; name="([^"]+)"', body)}
        seen.append((self.path.rpartition("/")[2], names))
        answer = json.dumps({"image": PICTURE, "finish_reason": "SUCCESS", "seed": 5}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
where = {"api_key": "a-key", "api_base": f"http://127.0.0.1:{server.server_port}"}


def generate(model, **more):
    seen.clear()
    answer = litellm.image_generation(model=model, prompt="a harbour", **where, **more)
    return len(answer.data), answer._hidden_params.get("response_cost")


def edit(model):
    seen.clear()
    picture = io.BytesIO(base64.b64decode(PICTURE))
    picture.name = "harbour.png"
    try:
        return len(litellm.image_edit(model=model, prompt="", image=picture, **where).data)
    except litellm.APIConnectionError as problem:
        return "isn't mapped yet" in str(problem)


facts = {
    "sd3.5-medium": generate("stability/sd3.5-medium") == (1, 0.035) and seen[0][0] == "sd3",
    "its name": "model" not in seen[0][1],
    "n=3": generate("stability/sd3.5-medium", n=3)[0] == 1 and len(seen) == 1,
    "size": generate("stability/stable-image-ultra", size="1536x1024")[0] == 1 and "aspect_ratio" not in seen[0][1],
    "a known size": generate("stability/stable-image-ultra", size="1792x1024")[0] == 1 and "aspect_ratio" in seen[0][1],
    "edit off the list": edit("stability/upscale-fast") is True and [path for path, _ in seen] == ["fast"],
    "generation off the list": generate("stability/core-next")[0] == 1,
}
for name, is_so in facts.items():
    print(name, "as described" if is_so else "changed")
sys.exit(not all(facts.values()))
PYTHON
LITELLM_LOCAL_MODEL_COST_MAP=True venv/bin/python see.py 2>/dev/null
