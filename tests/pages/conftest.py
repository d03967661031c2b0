"""Fixtures of the pages of jobs, for pages of every room."""

from tests.jobs.conftest import address, mei, press

__all__ = ["address", "mei", "press"]
