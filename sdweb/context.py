"""What every template may ask about the portal itself."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    """`sandbox`: pictures are drawn by the stand-in provider, which a banner must say; `mail`: it is sent."""
    return {"sandbox": settings.SANDBOX, "mail": bool(settings.EMAIL_URL)}
