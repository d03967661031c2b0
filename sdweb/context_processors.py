"""Context of every template."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    """Return what banners, notices and account pages depend on.

    `sandbox`: the sandbox provider makes the images; `mail`: mail is configured; `sign_up_open`: anyone may
    create an account and a team.
    """
    return {
        "sandbox": settings.SANDBOX,
        "mail": bool(settings.EMAIL_URL),
        "sign_up_open": settings.SIGN_UP == "open",
    }
