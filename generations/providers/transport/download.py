"""Download a result from an address that a provider sent: only from hosts of its account, never from inside.

What is checked is what is connected to: the name is resolved once, every address of it has to be public, and
the connection goes to such an address with the name in SNI and certificate. So a name cannot lead elsewhere
between check and connection. Through a proxy, which resolves the name, the certificate alone proves the host;
a host that is only allowed as every public one is refused there too if its name leads inside from here.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network
from urllib.parse import urljoin

import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from generations.providers.i18n import gettext as _
from generations.providers.transport.connection import CONNECT_TIMEOUT, Call, OneConnectionAdapter
from generations.providers.transport.http import FAILURES, is_caused_by, read_body

ANYWHERE = "*"  # in a list of hosts: every public one
MAX_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 3
MAX_URL_LENGTH = 8_192  # characters; signed addresses have about 1,500
MAX_ADDRESSES = 4  # of one name that are tried
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_YET = frozenset({202, 408, 425, 429})  # the same address may work later, as after a 5xx

# IANA's registries of special-purpose addresses. `is_global` differs between versions of Python, and says
# nothing about multicast and what was once the relay of 6to4.
NOT_PUBLIC_IPV4 = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4")))
PUBLIC_IPV6 = ip_network("2000::/3")  # so without mapped and translated IPv4 (::ffff:0:0/96, 64:ff9b::/96)
# Teredo and other protocols, documentation (twice), 6to4.
NOT_PUBLIC_IPV6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16")))
# What allow_private adds: not link-local addresses, where clouds keep the credentials of a machine.
PRIVATE = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "::1/128",
            "fc00::/7",
        ),
    )
)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|\d+)")  # a last label that makes some resolvers read an IPv4 address
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,63}/[\w.+-]{1,63}", re.ASCII)


@dataclass(frozen=True)
class Download:
    """The bytes of a result, and the media type that the answer's header claims, "" without one."""

    data: bytes
    media_type: str


@dataclass(eq=False)
class DownloadFailed(Exception):
    """A result that did not come. `reason` is shown to members: a sentence without the address.

    `again`: the same address may work later; else it never will.
    """

    reason: str
    status: int | None = None
    again: bool = field(default=False, kw_only=True)

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class _Target:
    scheme: str
    host: str
    port: int
    path: str
    is_named: bool  # on the list, not only allowed as every public host

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if (self.scheme, self.port) in {("https", 443), ("http", 80)} else f"{host}:{self.port}"


def download(
    url: str, *, hosts: Iterable[str], timeout: float, allow_private: bool = False, proxy: str = ""
) -> Download:
    """Get the result at an address within `timeout` seconds in all; at most 64 MiB. Raises DownloadFailed.

    `hosts` has exact names and, as `.example.com` or `*.example.com`, all names below one; `*` is every host.
    Without any, nothing is allowed. Only https on port 443 at public addresses is, unless `allow_private`
    adds http, other ports, loopback and private networks. Up to 3 redirects are followed, each checked as the
    first address. Neither key nor cookie is sent, and no .netrc file and no proxy of the environment is used;
    `proxy` is the address of an HTTP proxy. Only DNS resolution may outlast the timeout, and then nothing is
    sent.
    """
    deadline = time.monotonic() + timeout
    names = {name.lower().strip() for name in hosts}
    allowed = {name.removeprefix("*").rstrip(".") for name in names} - {"", ANYWHERE}
    allowed |= names & {ANYWHERE}
    try:
        for _hop in range(MAX_REDIRECTS + 1):
            target = _checked(url, allowed, allow_private=allow_private)
            answer = _get(target, deadline, allow_private=allow_private, proxy=proxy)
            if isinstance(answer, Download):
                return answer
            url = _joined(url, answer)
        failure = DownloadFailed(_("The address of the result leads from one place to the next without end."))
    except DownloadFailed as problem:
        failure = problem
    except FAILURES as problem:
        failure = _network_failure(problem, deadline)
    # Raised out here, so that it has no context: exceptions of `requests` contain the signed address.
    failure.__context__ = None
    raise failure


def _joined(url: str, location: str) -> str:
    """The address of a redirect; "", which is allowed nowhere, if it is none."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _checked(url: str, allowed: set[str], *, allow_private: bool) -> _Target:
    """The parts of an address that is allowed; DownloadFailed if it is not."""
    refused = DownloadFailed(_("The address of the result is not one that this account may be asked for."))
    if len(url) > MAX_URL_LENGTH or _UNSAFE.search(url):
        raise refused
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise refused from None
    host = (parts.host or "").lower().strip("[]").rstrip(".")
    scheme = parts.scheme or ""
    port = parts.port or {"https": 443, "http": 80}.get(scheme, 0)
    is_safe = (scheme, port) == ("https", 443) or (allow_private and scheme in {"https", "http"})
    if parts.auth is not None or not is_safe or not _is_host(host) or not _is_on(allowed, host):
        raise refused
    return _Target(scheme, host, port, parts.request_uri, _is_on(allowed - {ANYWHERE}, host))


def _is_host(host: str) -> bool:
    """Whether it is a name, or an IP address in its one usual form: none in decimal, octal or hexadecimal."""
    try:
        return str(ip_address(host)) == host
    except ValueError:
        return _is_name(host)


def _is_name(host: str) -> bool:
    return bool(_NAME.fullmatch(host)) and not _NUMBER.fullmatch(host.rpartition(".")[2])


def _is_on(allowed: set[str], host: str) -> bool:
    if host in allowed or ANYWHERE in allowed:
        return True
    return any(name.startswith(".") and host.endswith(name) for name in allowed)


def _get(target: _Target, deadline: float, *, allow_private: bool, proxy: str) -> Download | str:
    """The result, or the address of a redirect. Tries the next address of a host that cannot be reached."""
    if proxy and _is_name(target.host):
        addresses = _addresses_for_proxy(target, allow_private=allow_private)
    else:
        addresses = _addresses(target, allow_private=allow_private)
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        call = Call(deadline)
        with contextlib.closing(OneConnectionAdapter(call, address)) as adapter:
            try:
                response = _send(adapter, call, target, proxy, connect_timeout=call.remaining() / left)
            except FAILURES:
                if call.sent or left == 1:
                    raise
                continue
            with response:
                return _answer(response)
    raise OSError("no address")


def _addresses(target: _Target, *, allow_private: bool) -> list[str]:
    """The addresses of the host; DownloadFailed unless all of them may be connected to."""
    addresses = resolve(target.host, target.port)
    if not all(_may_connect(address, allow_private=allow_private) for address in addresses):
        raise DownloadFailed(_("The address of the result leads into a network that is not public."))
    return addresses[:MAX_ADDRESSES]


def _addresses_for_proxy(target: _Target, *, allow_private: bool) -> list[str]:
    """The one address "", as the proxy resolves the name; DownloadFailed for a name that leads inside.

    Who may name any host must not reach the proxy's network by it. A machine whose proxy knows more names
    than itself still gets its results.
    """
    if not target.is_named:
        with contextlib.suppress(OSError):
            _addresses(target, allow_private=allow_private)
    return [""]


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host, in the order in which to try them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(socket_address[0]) for *_kind, socket_address in found))


def _may_connect(address: str, *, allow_private: bool) -> bool:
    ip = ip_address(address)
    if allow_private and any(ip in network for network in PRIVATE):
        return True
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in network for network in NOT_PUBLIC_IPV4)
    return ip in PUBLIC_IPV6 and not any(ip in network for network in NOT_PUBLIC_IPV6)


def _send(
    adapter: OneConnectionAdapter, call: Call, target: _Target, proxy: str, *, connect_timeout: float
) -> requests.Response:
    prepared = requests.Request("GET", f"{target.scheme}://{target.netloc}{target.path}").prepare()
    prepared.headers.update(
        {
            "Host": target.netloc,
            "User-Agent": "sdweb",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
    )
    timeout = (min(CONNECT_TIMEOUT, connect_timeout), call.remaining())
    proxies = {target.scheme: proxy} if proxy else None
    return adapter.send(prepared, stream=True, timeout=timeout, proxies=proxies)


def _answer(response: requests.Response) -> Download | str:
    status, headers = response.status_code, response.headers
    if status in REDIRECTS and (location := headers.get("location")):
        return (
            str(location).encode("latin-1").decode(errors="replace")
        )  # as people write it, not the standard
    if status != 200:
        raise _refusal(status)
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise DownloadFailed(_("The result came in an encoding that was not asked for."), status)
    too_large = DownloadFailed(_("The result is larger than %d MiB.") % (MAX_BYTES // 1024 // 1024), status)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise too_large
    data = read_body(response, MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise too_large
    if not data:
        raise DownloadFailed(_("The address of the result answered with nothing."), status, again=True)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Download(data, media_type if _MEDIA_TYPE.fullmatch(media_type) else "")


def _refusal(status: int) -> DownloadFailed:
    if status in {403, 404, 410}:
        return DownloadFailed(
            _("The result is no longer at its address, or the address has expired."), status
        )
    again = status in NOT_YET or status >= 500
    return DownloadFailed(_("The result could not be downloaded (HTTP %d).") % status, status, again=again)


def _network_failure(problem: Exception, deadline: float) -> DownloadFailed:
    if deadline <= time.monotonic() or is_caused_by(problem, TimeoutError, requests.Timeout):
        return DownloadFailed(_("The result did not arrive in time."), again=True)
    return DownloadFailed(_("The connection to the address of the result failed."), again=True)
