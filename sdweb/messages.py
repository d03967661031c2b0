"""Messages from one page to the next, in a cookie that other portals on this host do not read."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class CookieMessages(CookieStorage):
    """Messages in a cookie whose name has the portal's prefix."""

    cookie_name = f"{settings.COOKIE_PREFIX}messages"


class Messages(FallbackStorage):
    """Messages in the cookie, in the session if they are too long."""

    storage_classes = (CookieMessages, SessionStorage)
