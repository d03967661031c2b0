"""What every template may ask about the portal itself."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    """What banners, notices and account pages say.

    `sandbox`: pictures are drawn by the stand-in provider; `mail`: it is sent; `sign_up_open`:
    anybody may make an account and a team.
    """

    return {
        "sandbox": settings.SANDBOX,
        "mail": bool(settings.EMAIL_URL),
        "sign_up_open": settings.SIGN_UP == "open",
    }
