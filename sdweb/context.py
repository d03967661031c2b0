"""What every template may ask about the portal itself."""

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from generations.upstreams.models import Upstream


def portal(request: HttpRequest) -> dict[str, object]:
    """What banners, notices and account pages say.

    `sandbox`: pictures are drawn by the stand-in provider; `mail`: it is sent; `paused_upstreams`:
    accounts that are not called until an operator does something, told to operators alone.
    """

    def paused_upstreams() -> QuerySet[Upstream]:
        is_operator = bool(getattr(getattr(request, "user", None), "is_staff", False))
        paused = Upstream.objects.filter(enabled=True, paused_at__isnull=False)
        return paused if is_operator else Upstream.objects.none()

    return {
        "sandbox": settings.SANDBOX,
        "mail": bool(settings.EMAIL_URL),
        "paused_upstreams": paused_upstreams,
    }
