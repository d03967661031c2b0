#!/bin/sh
# LiteLLM (PyPI: litellm 1.110.2) buys Flux at a gateway and never asks for the picture, or buys it elsewhere.
#
# Seen with Python 3.11 and a local server that speaks BFL's task protocol, where each POST buys:
#   1. image_generation of "black_forest_labs/…" looks at neither its api_key nor its api_base: both are read from
#      BFL_API_KEY and BFL_API_BASE. Without the second an order for a gateway goes to api.bfl.ai. image_edit takes
#      both.
#   2. Both post the order, and then refuse the polling_url of the answer unless it is https below bfl.ai: no gateway
#      and no proxy can answer with another. The picture is paid for and never asked for, and the error is a 502,
#      which invites to buy it again.
#   3. Of n=3 one picture is ordered of flux-pro-1.1, without an error; of flux-pro-1.1-ultra `num_images` is sent,
#      which BFL does not have. quality="hd" is left out, although other parameters that it does not know are refused.
#   4. image_edit sends the picture to flux-pro-1.0-fill as `input_image` and leaves the mask out; BFL requires `image`
#      there, and refuses.
# So Flux through LiteLLM works at api.bfl.ai alone; elsewhere it has to be sold in OpenAI's format.
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
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
seen = []


class Provider(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fields = sorted(set(body) - {"prompt", "output_format"})
        seen.append(" ".join(["order", self.path, self.headers["x-key"], *fields]))
        self.answer({"id": "t", "polling_url": f"{BASE}/v1/get_result?id=t"})

    def do_GET(self):
        seen.append(f"poll {self.path}")
        self.answer({"id": "t", "status": "Ready", "result": {"sample": f"{BASE}/picture.png"}})

    def answer(self, document):
        text = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}"
os.environ |= {"BFL_API_KEY": "key-of-environment", "BFL_API_BASE": f"{BASE}/environment"}


def see(act, model, **more):
    seen.clear()
    try:
        act(model=f"black_forest_labs/{model}", prompt="a harbour", api_key="a-key", api_base=f"{BASE}/gateway", **more)
        said = "a picture"
    except Exception as problem:
        text = str(problem)
        said = next((each for each in ("scheme must be https", "is not supported") if each in text), text)
        said = f"{getattr(problem, 'status_code', None)} {said}"
    return f"{', '.join(seen) or 'nothing'}: {said}"


def picture():
    file = io.BytesIO(base64.b64decode(PICTURE))
    file.name = "harbour.png"
    return file


facts = {
    "generate": see(litellm.image_generation, "flux-pro-1.1"),
    "edit": see(litellm.image_edit, "flux-kontext-pro", image=picture()),
    "fill": see(litellm.image_edit, "flux-pro-1.0-fill", image=picture(), mask=picture()),
    "n=3": see(litellm.image_generation, "flux-pro-1.1", n=3),
    "n=3 of ultra": see(litellm.image_generation, "flux-pro-1.1-ultra", n=3),
    "quality": see(litellm.image_generation, "flux-pro-1.1", quality="hd"),
    "an unknown parameter": see(litellm.image_generation, "flux-pro-1.1", user="me"),
}
with open("said", "w") as said:  # LiteLLM prints, too
    said.writelines(f"{name}: {fact}\n" for name, fact in facts.items())
PYTHON
LITELLM_LOCAL_MODEL_COST_MAP=True venv/bin/python see.py >log 2>&1
cat said
diff - said <<'SEEN'
generate: order /environment/v1/flux-pro-1.1 key-of-environment: 502 scheme must be https
edit: order /gateway/v1/flux-kontext-pro a-key input_image: 502 scheme must be https
fill: order /gateway/v1/flux-pro-1.0-fill a-key input_image: 502 scheme must be https
n=3: order /environment/v1/flux-pro-1.1 key-of-environment: 502 scheme must be https
n=3 of ultra: order /environment/v1/flux-pro-1.1-ultra key-of-environment num_images: 502 scheme must be https
quality: order /environment/v1/flux-pro-1.1 key-of-environment: 502 scheme must be https
an unknown parameter: nothing: 400 is not supported
SEEN
echo "LiteLLM does what was seen."
