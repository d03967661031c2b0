"""What nobody has asked for yet is not imported."""

from __future__ import annotations

import os
import subprocess
import sys

from sdweb.process.local_environment import BASE_DIR

PAGES_AND_WORKERS = """
import os, sys
from sdweb.process import application
application.load()
from django.urls import resolve, reverse
print("ninja" in sys.modules, "pydantic" in sys.modules)
resolve("/accounts/login/")
print("ninja" in sys.modules)
print(resolve("/api/v1/openapi.json").view_name, reverse("v1:openapi-json"), "ninja" in sys.modules)
"""


def test_the_api_is_imported_when_one_of_its_addresses_is_asked_for_and_not_by_pages_and_workers():
    done = subprocess.run(
        [sys.executable, "-c", PAGES_AND_WORKERS],
        cwd=BASE_DIR,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "False False",
        "False",
        "v1:openapi-json /api/v1/openapi.json True",
    ]
