"""Fixtures of processes, shared with the tests of sdweb."""

from tests.sdweb.conftest import empty_database, folder

__all__ = ["empty_database", "folder"]
