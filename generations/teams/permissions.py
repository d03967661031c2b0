"""Who may do what in a team: one table, read by code and tests, and the door to every page of a team."""

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

from generations.teams.models import Membership, Role, User
from generations.teams.sessions import service as sessions_service

View = Callable[..., HttpResponseBase]

EVERYBODY = frozenset(Role)
MAKERS = frozenset({Role.OWNER, Role.ADMINISTRATOR, Role.MEMBER})
KEEPERS = frozenset({Role.OWNER, Role.ADMINISTRATOR})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "see": EVERYBODY,
    "generate": MAKERS,
    "upload": MAKERS,
    "organise": MAKERS,
    "share": MAKERS,
    "curate": KEEPERS,
    "spend_see": KEEPERS,
    "grant": KEEPERS,
    "refund": KEEPERS,
    "manage_members": KEEPERS,
    "adjust": frozenset({Role.OWNER}),
    "appoint_owners": frozenset({Role.OWNER}),
}
SEEN_EVERY = timedelta(minutes=1)


def may(member: Membership, permission: str) -> bool:
    """Whether the member's role allows it; KeyError for a permission that is not in the table."""
    return member.role in PERMISSIONS[permission]


def roles_given_by(role: str) -> list[Role]:
    """What that role may make of others: an owner anything, an administrator no owners, others nothing."""
    if role not in PERMISSIONS["manage_members"]:
        return []
    return [each for each in Role if each != Role.OWNER or role in PERMISSIONS["appoint_owners"]]


def find_member(user: User, team: str) -> Membership:
    """The person's membership in the team of that address; DoesNotExist for any other team."""
    mine = Membership.objects.select_related("team", "user", "wallet")
    return mine.get(user=user, team__slug=team, team__deactivated_at=None, ended_at=None)


def member_required(*, may: str = "see") -> Callable[[View], View]:
    """Let a view of a team be called with `member` in place of the team's address.

    Signed out: to the sign-in and back. A team that is not mine does not exist (404); what my
    role does not allow is forbidden (403).
    """
    allowed = PERMISSIONS[may]

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, team: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            member = _member_or_404(request.user, team)
            if member.role not in allowed:
                raise PermissionDenied(_("Your role in this team does not allow this."))
            _touch(member)
            sessions_service.touch(request)
            return view(request, *args, member=member, **kwargs)

        return guarded

    return decorate


def operator_required(view: View) -> View:
    """Let operators alone call a view of the whole installation; for everybody else it is not there."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def last_membership(user: User | AnonymousUser) -> Membership | None:
    """In the team that the person was in last; None if they are in none."""
    if not user.is_authenticated:
        return None
    mine = user.memberships.filter(ended_at=None, team__deactivated_at=None)
    known = mine.select_related("team", "user", "wallet")
    return known.order_by(F("seen_at").desc(nulls_last=True), "pk").first()


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and from there back to the page that the person was on."""
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({REDIRECT_FIELD_NAME: _page(request)})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _page(request: HttpRequest) -> str:
    """The page itself, or for a part or a form the page that it stands on."""
    is_part = bool(request.headers.get("HX-Request"))
    if request.method in {"GET", "HEAD"} and not is_part:
        return request.get_full_path()
    came_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()}):
        parts = urlsplit(came_from)
        return urlunsplit(("", "", parts.path, parts.query, "")) or "/"
    return "/"


def _member_or_404(user: User, team: str) -> Membership:
    try:
        return find_member(user, team)
    except Membership.DoesNotExist:
        raise Http404 from None


def _touch(member: Membership) -> None:
    """Remember when the member was here last; written once a minute at most."""
    now = timezone.now()
    if member.seen_at is None or member.seen_at < now - SEEN_EVERY:
        stale = Q(seen_at__isnull=True) | Q(seen_at__lt=now - SEEN_EVERY)
        Membership.objects.filter(stale, pk=member.pk).update(seen_at=now)
