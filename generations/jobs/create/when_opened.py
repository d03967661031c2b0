"""What Create shows when it is opened, and is not in its page.

That is: menus of a picture and a batch, the operations under More, the mask editor, the dialog of keys.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString

from generations.core.html_pattern import mark
from generations.core.kept_fragments import kept_fragment
from generations.jobs.create.kept_answers import version_of
from generations.jobs.create.served import OperationEntry, ServedModels

TEAM = "team"


@dataclass(frozen=True)
class WhenOpened:
    """The same for all with these operations, under More and of a picture, but for addresses of the team."""

    more: tuple[OperationEntry, ...]
    of_a_picture: tuple[OperationEntry, ...]

    @classmethod
    def of(cls, served: ServedModels) -> WhenOpened:
        """That of somebody to whom these models are served."""
        return cls(served.more_operations, served.of_a_picture)

    def html(self, team: str) -> SafeString:
        """The parts, with the addresses of the team of this slug."""
        return SafeString(self._pattern.replace(str(mark(TEAM)), team))

    @property
    def query(self) -> str:
        """What it is asked for with."""
        return f"version={self.version}"

    @property
    def version(self) -> str:
        """What differs if the parts do."""
        return version_of(self._pattern)

    @property
    def _pattern(self) -> SafeString:
        values = {"more": self.more, "of_a_picture": self.of_a_picture}
        return kept_fragment("jobs/create/when_opened.html", team=str(mark(TEAM)), **values)
