"""Find the Swagger UI files of django-ninja that our page needs, without 6 MB of source maps and Redoc."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

FOLDER = Path(str(distribution("django-ninja").locate_file("ninja/static")))  # without importing it
FILES = tuple(
    f"ninja/swagger-ui{ending}" for ending in (".css", ".css.map", "-bundle.js", "-init.js")
)  # the style sheet references its map, and is not collected without it


class SwaggerFinder(BaseFinder):
    """Find the files in the installed package, so that their version is that of requirements.txt."""

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        self.storage = FileSystemStorage(location=FOLDER)

    def find(self, path: str, find_all: bool = False, **_named: Any) -> Any:
        """Return the path of the file, [] for any other."""
        if path not in FILES:
            return []
        return [str(FOLDER / path)] if find_all else str(FOLDER / path)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, Storage]]:
        """Return all files."""
        return [(path, self.storage) for path in FILES]

    def check(self, **_named: Any) -> list[Any]:  # type: ignore[valid-type]
        """Return no errors: there is nothing to configure."""
        return []
