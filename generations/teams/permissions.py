"""Permissions of the roles in a team, and the decorators that check them for views."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from generations.core.prepared_queries import Param, PreparedQuery
from generations.teams.models import Membership, Role, User
from generations.teams.sessions import service as sessions_service

View = Callable[..., HttpResponseBase]

ALL_ROLES = frozenset(Role)
CREATORS = frozenset({Role.OWNER, Role.ADMINISTRATOR, Role.MEMBER})
ADMINISTRATORS = frozenset({Role.OWNER, Role.ADMINISTRATOR})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "see": ALL_ROLES,
    "generate": CREATORS,
    "upload": CREATORS,
    "organise": CREATORS,
    "share": CREATORS,
    "curate": ADMINISTRATORS,
    "see_spending": ADMINISTRATORS,
    "grant": ADMINISTRATORS,
    "refund": ADMINISTRATORS,
    "manage_members": ADMINISTRATORS,
    "adjust": frozenset({Role.OWNER}),
    "appoint_owners": frozenset({Role.OWNER}),
}
SEEN_INTERVAL = timedelta(minutes=1)
_current = PreparedQuery(
    lambda: Membership.objects.select_related("team", "user", "wallet").filter(
        user=Param("user"), team__slug=Param("team"), team__deactivated_at=None, ended_at=None
    )
)


def may(member: Membership, permission: str) -> bool:
    """Whether the member's role has the permission; KeyError for a permission that is not in the table."""
    return member.role in PERMISSIONS[permission]


def assignable_roles(role: str) -> list[Role]:
    """Return the assignable roles: all for an owner, all but owner for an administrator, none for others."""
    if role not in PERMISSIONS["manage_members"]:
        return []
    return [each for each in Role if each != Role.OWNER or role in PERMISSIONS["appoint_owners"]]


def get_membership(user: User, team: str) -> Membership:
    """Return the user's current membership in the active team with this slug.

    Raises Membership.DoesNotExist.
    """
    found = _current.first(user=user.pk, team=team)
    if found is None:
        raise Membership.DoesNotExist
    return found


def member_required(*, may: str = "see") -> Callable[[View], View]:
    """Decorate a view of a team: it is called with `member` instead of the team's slug, in their time zone.

    Signed-out users are redirected to the sign-in and back. Answers 404 unless the user is a member of the
    team, and 403 if the role does not have the permission.
    """
    allowed = PERMISSIONS[may]

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, team: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request)
            member = _member_or_404(request.user, team)
            if member.role not in allowed:
                raise PermissionDenied(_("Your role in this team does not allow this."))
            _touch(member)
            sessions_service.touch(request)
            with timezone.override(member.tzinfo):
                return view(request, *args, member=member, **kwargs)

        guarded.permission = may  # type: ignore[attr-defined]  # the team switch in the bar asks for it
        return guarded

    return decorate


def operator_required(view: View) -> View:
    """Decorate a view of the whole installation: it answers 404 unless the user is an operator."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request)
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def last_membership(user: User | AnonymousUser) -> Membership | None:
    """Return the user's membership in the team they visited last; None if they have no team."""
    if not user.is_authenticated:
        return None
    current = user.memberships.filter(ended_at=None, team__deactivated_at=None)
    rows = current.select_related("team", "user", "wallet")
    return rows.order_by(F("seen_at").desc(nulls_last=True), "pk").first()


def redirect_to_login(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page, and from there back to the current page."""
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({REDIRECT_FIELD_NAME: _return_path(request)})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _return_path(request: HttpRequest) -> str:
    """Return the path of the page; for an htmx request or a form, that of the page it was sent from."""
    is_fragment = bool(request.headers.get("HX-Request"))
    if request.method in {"GET", "HEAD"} and not is_fragment:
        return request.get_full_path()
    referrer = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if url_has_allowed_host_and_scheme(referrer, allowed_hosts={request.get_host()}):
        parts = urlsplit(referrer)
        return urlunsplit(("", "", parts.path, parts.query, "")) or "/"
    return "/"


def _member_or_404(user: User, team: str) -> Membership:
    try:
        return get_membership(user, team)
    except Membership.DoesNotExist:
        raise Http404 from None


def _touch(member: Membership) -> None:
    """Record the time of the visit, at most once a minute."""
    now = timezone.now()
    if member.seen_at is None or member.seen_at < now - SEEN_INTERVAL:
        stale = Q(seen_at__isnull=True) | Q(seen_at__lt=now - SEEN_INTERVAL)
        Membership.objects.filter(stale, pk=member.pk).update(seen_at=now)
