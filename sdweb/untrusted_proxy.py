"""Say in the log why browsers are redirected to https in a circle: a proxy that is not in TRUSTED_PROXIES."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

log = logging.getLogger(__name__)

MAX_NAMED = 20  # peers; anybody can send the header


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Warn once of each peer that says it received a request by https, and is not believed."""
    named: set[str] = set()

    def respond(request: HttpRequest) -> HttpResponseBase:
        says_https = request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"
        if settings.SECURE_SSL_REDIRECT and says_https and not request.is_secure():
            peer = str(request.META.get("REMOTE_ADDR", ""))
            if peer not in named and len(named) < MAX_NAMED:
                named.add(peer)
                log.warning(
                    "%s sent a request with X-Forwarded-Proto: https, which is not believed; if it is your"
                    " proxy, add it to TRUSTED_PROXIES, or browsers are redirected without an end",
                    peer,
                )
        return get_response(request)

    return respond
