"""The addresses of the APIs, and what a client means whose base URL is a little wrong.

Clients put base URL and path together in many ways: with two slashes or one at the end, with `/v1` twice or
not at all. A path that belongs to an API is served there, or refused as JSON; never with a page for people.
"""

from __future__ import annotations

from collections.abc import Sequence

OWN = "/api/v1/"
VERSIONS = ("v1", "v2beta")
GATEWAY = "sd"
# The first word after the version, and the version to which it belongs.
RESOURCES = {
    "images": "v1",
    "models": "v1",
    "generation": "v1",
    "engines": "v1",
    "user": "v1",
    "stable-image": "v2beta",
    "results": "v2beta",
    # Not served, but clients of OpenAI's API ask for them and want JSON.
    "audio": "v1",
    "batches": "v1",
    "chat": "v1",
    "completions": "v1",
    "embeddings": "v1",
    "files": "v1",
    "moderations": "v1",
    "responses": "v1",
}


def is_own(path: str) -> bool:
    """Whether the path is one of the portal's own API, whose errors are JSON; its documentation is a page."""
    return (path == "/api" or path.startswith("/api/")) and not path.startswith("/api/docs")


def canonical(path: str) -> str | None:
    """The path that a client of an API means; None if it means none.

    The result begins with /v1/, /v2beta/, /sd/ or /api/v1/, has no double slashes and none at the end.
    """
    words = [word for word in path.split("/") if word]
    if words[:1] == ["api"] and words[1:2] != ["docs"]:
        return OWN + "/".join(_without_versions(words[1:], VERSIONS[:1])[1])
    versions, rest = _without_versions(words, (*VERSIONS, GATEWAY))
    resource = rest[0] if rest else ""
    if not versions and resource not in RESOURCES:
        return None
    named = [version for version in versions if version in VERSIONS]
    version = RESOURCES.get(resource) or (named[-1] if named else VERSIONS[0])
    gateway = f"/{GATEWAY}" if GATEWAY in versions else ""
    return f"{gateway}/{version}/" + "/".join(rest)


def _without_versions(words: Sequence[str], versions: Sequence[str]) -> tuple[list[str], list[str]]:
    """The versions at the beginning, however many, and the rest."""
    count = next((index for index, word in enumerate(words) if word not in versions), len(words))
    return list(words[:count]), list(words[count:])
