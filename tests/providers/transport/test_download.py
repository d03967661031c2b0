"""Downloading a result: only from the account's hosts, at addresses that were checked, within all limits."""

import socket
import ssl
import time

import pytest

from generations.providers.transport import connection as transport_connection
from generations.providers.transport import download as transport_download
from generations.providers.transport.download import Download, DownloadFailed, download
from generations.providers.transport.media_check import InvalidImage, identify
from sdweb.process.ports import free_port
from tests import valkeys
from tests.providers.fake_provider import FakeProvider, dripping, hanging, make_image, reset, response
from tests.providers.http_proxy import HttpProxy

PNG = make_image()
NAME = "cdn.example"
SIGNATURE = "X-Amz-Signature=0123456789abcdef"


@pytest.fixture
def server():
    one = FakeProvider()
    yield one
    one.close()


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """A server whose certificate is for cdn.example; its authority is trusted."""
    files = valkeys.certificate(tmp_path, NAME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    names = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    trusting = ssl.create_default_context(cafile=files[0])
    monkeypatch.setattr(transport_connection, "_ssl_context", lambda: trusting)
    one = FakeProvider(context)
    one.names = names
    yield one
    one.close()


@pytest.fixture
def resolve(monkeypatch):
    """The names that are known: resolve({"cdn.example": ["127.0.0.1"]}) returns a list of the look-ups."""

    def known(answers):
        asked = []

        def resolver(host, port):
            asked.append(host)
            if host not in answers:
                return REAL(host, port)
            answer = answers[host]
            return answer.pop(0) if isinstance(answer[0], list) else answer

        monkeypatch.setattr(transport_download, "resolve", resolver)
        return asked

    return known


REAL = transport_download.resolve


def get(url, *, hosts=("127.0.0.1", NAME), timeout=3.0, allow_private=True, proxy=""):
    return download(url, hosts=hosts, timeout=timeout, allow_private=allow_private, proxy=proxy)


def failure(url, *, again, within=2.0, **options):
    started = time.monotonic()
    with pytest.raises(DownloadFailed) as caught:
        get(url, **options)
    assert time.monotonic() - started < within
    problem = caught.value
    assert problem.again is again
    assert problem.__cause__ is problem.__context__ is None
    assert str(problem).endswith(".")
    assert SIGNATURE not in repr(problem)
    assert "127.0.0.1" not in str(problem)
    return problem


# What arrives ----------------------------------------------------------------------------


def test_a_result_arrives_with_the_type_that_its_header_claims(server):
    server.plan = [response(200, PNG, content_type="Image/PNG; charset=x")]
    assert get(f"{server.address}/a/b%2Fc.png?{SIGNATURE}&x=%20#part") == Download(PNG, "image/png")
    assert server.requests[0].path == f"/a/b%2Fc.png?{SIGNATURE}&x=%20"


@pytest.mark.parametrize("claim", ["", "nonsense", "text/html, image/png", "image/<b>"])
def test_a_header_that_is_no_type_is_no_claim(server, claim):
    server.plan = [response(200, PNG, content_type=claim)]
    assert get(server.address) == Download(PNG, "")


def test_the_type_is_told_by_the_bytes_whatever_the_header_claims(server):
    server.plan = [
        response(200, PNG, content_type="text/html"),
        response(200, b"<html><h1>Sign in</h1></html>", content_type="image/png"),
    ]
    assert identify(get(server.address).data).media_type == "image/png"
    with pytest.raises(InvalidImage):
        identify(get(server.address).data)


def test_pieces_and_a_body_up_to_the_end_of_the_connection_arrive_whole(server):
    server.plan = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nabcde",
    ]
    assert [get(server.address).data for _try in range(2)] == [b"abcde"] * 2


# TLS and names -----------------------------------------------------------------------------


def test_the_checked_address_is_connected_to_with_the_name(secure, resolve):
    asked = resolve({NAME: [["127.0.0.1"], ["169.254.169.254"]]})  # no resolver but this one knows the name
    secure.plan = [response(200, PNG)]
    assert get(f"https://{NAME}:{secure.port}/x.png").data == PNG
    assert asked == [NAME]
    assert secure.names == [NAME]
    assert secure.requests[0].headers["host"] == f"{NAME}:{secure.port}"


def test_a_certificate_for_another_name_is_refused(secure, resolve):
    resolve({"other.example": ["127.0.0.1"]})
    failure(f"https://other.example:{secure.port}/", hosts=["other.example"], again=True)
    failure(f"https://127.0.0.1:{secure.port}/", again=True)
    assert not secure.requests


def test_a_certificate_that_nobody_signed_is_refused(secure, resolve, monkeypatch):
    monkeypatch.undo()  # only the usual authorities are trusted
    monkeypatch.setattr(transport_download, "resolve", lambda *_host: ["127.0.0.1"])
    failure(f"https://{NAME}:{secure.port}/", again=True)
    assert not secure.requests


def test_the_next_address_of_a_host_is_tried(secure, resolve):
    resolve({NAME: ["127.0.0.9", "127.0.0.1"]})  # nobody listens at the first
    secure.plan = [response(200, PNG)]
    assert get(f"https://{NAME}:{secure.port}/").data == PNG


def test_after_the_request_was_sent_no_other_address_is_asked(secure, resolve):
    resolve({NAME: ["127.0.0.1", "127.0.0.1"]})
    secure.plan = [reset, response(200, PNG)]
    failure(f"https://{NAME}:{secure.port}/", again=True)
    assert len(secure.requests) == 1


# What is not allowed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
        "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1",
        "fe80::1%eth0", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_also_among_public_ones(resolve, address):
    asked = resolve({NAME: ["93.184.215.14", "2606:4700::1111", address]})
    reason = str(failure(f"https://{NAME}/x.png?{SIGNATURE}", allow_private=False, again=False))
    assert "not public" in reason
    assert asked == [NAME]


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "172.32.0.1", "2606:4700::1111", "2a00::1"])
def test_public_addresses_may_be_connected_to(address):
    assert transport_download._may_connect(address, allow_private=False)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:10.0.0.1"])
def test_private_hosts_do_not_include_where_clouds_keep_credentials(resolve, address):
    resolve({NAME: [address]})
    assert "not public" in str(failure(f"http://{NAME}/", again=False))


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example/x", "https://cdn.example:8443/x", "https://cdn.example:80/x", "ftp://cdn.example/x",
        "file:///etc/passwd", "//cdn.example/x", "cdn.example/x", "", "data:image/png;base64,AAAA",
        "https://user:word@cdn.example/x", "https://cdn.example\\@evil.example/",
        "https://evil.example\\.cdn.example/", "https://evil.example/cdn.example", "https://evil.example#cdn.example",
        "https://cdn.example.evil.example/", "https://evilcdn.example/", "https://cdn.example /x",
        "https://cdn.example/\r\nX-Evil: 1", "https://[::1/", "https://cdn.example:99999/", "https:///x",
        "https://cdn.example/" + "x" * 9_000,
    ],
)  # fmt: skip
def test_other_schemes_ports_hosts_and_forms_are_refused_before_any_look_up(resolve, url):
    asked = resolve({NAME: ["93.184.215.14"]})
    assert failure(url, allow_private=False, again=False).status is None
    assert not asked


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "cdn.0x7f",
        "[::ffff:127.0.0.1]",
    ],
)
def test_numbers_in_other_forms_are_no_hosts_even_if_they_are_on_the_list(host, server):
    url = f"http://{host}:{server.port}/"
    failure(url, hosts=[host.strip("[]"), host, "*.0x7f", "*.1"], again=False)
    assert not server.requests


def test_every_host_is_every_public_one(resolve):
    resolve({NAME: ["10.0.0.7"]})
    failure(f"https://{NAME}/", hosts=["*"], allow_private=False, again=False)


@pytest.mark.parametrize(
    ("hosts", "host", "is_allowed"),
    [
        ([], NAME, False),
        ([""], NAME, False),
        (["*"], NAME, True),
        (["**"], NAME, False),
        (["."], NAME, False),
        ([NAME], NAME, True),
        (["CDN.Example."], NAME, True),
        ([NAME], "CDN.example.", True),
        ([".example"], NAME, True),
        (["*.example"], NAME, True),
        (["*.example"], "a.b.example", True),
        ([".cdn.example"], NAME, False),
        (["*.cdn.example"], NAME, False),
        ([".example"], "evilexample", False),
        (["cdn.*"], NAME, False),
    ],
)
def test_a_host_is_on_the_list_by_its_name_or_by_what_it_is_below(server, resolve, hosts, host, is_allowed):
    resolve({NAME: ["127.0.0.1"], "a.b.example": ["127.0.0.1"]})
    server.plan = [response(200, PNG)]
    url = f"http://{host}:{server.port}/"
    if is_allowed:
        assert get(url, hosts=hosts).data == PNG
    else:
        failure(url, hosts=hosts, again=False)
        assert not server.requests


def test_a_host_that_does_not_resolve_may_do_so_later():
    failure("https://nobody.invalid/", hosts=["nobody.invalid"], again=True, within=10)


# Redirects -----------------------------------------------------------------------------------


def to(location, status=302):
    return response(status, b"elsewhere", location=location)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(server, status):
    server.plan = [to("/b/ü?x=1".encode().decode("latin-1"), status), response(200, PNG)]
    assert get(f"{server.address}/a").data == PNG
    assert server.requests[1].method == "GET"
    assert server.requests[1].path in {
        "/b/%C3%BC?x=1",
        "/b/%EF%BF%BD?x=1",
    }  # sent as Latin-1, which is not UTF-8


def test_three_redirects_are_followed_and_four_are_not(server):
    server.plan = [to(f"{server.address}/{at}") for at in range(3)] + [response(200, PNG)]
    assert get(server.address).data == PNG
    server.plan = [to(f"{server.address}/{at}") for at in range(4)] + [response(200, PNG)]
    failure(server.address, again=False)
    assert len(server.requests) == 4 + 4


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/", "//evil.example/", "file:///etc/passwd", "gopher://127.0.0.1/", "http://[",
        "http://169.254.169.254/latest/", "http://user:word@127.0.0.1/", "http://2130706433/",
    ],
)  # fmt: skip
def test_a_redirect_elsewhere_is_refused(server, location):
    server.plan = [to(location)]
    failure(server.address, again=False)
    assert len(server.requests) == 1


def test_a_redirect_from_https_to_http_is_refused(resolve):
    target = transport_download._checked(f"https://{NAME}/a", {NAME}, allow_private=False)
    assert (target.scheme, target.port) == ("https", 443)
    with pytest.raises(DownloadFailed):
        transport_download._checked(f"http://{NAME}/a", {NAME}, allow_private=False)


def test_each_redirect_is_resolved_and_checked_anew(secure, resolve):
    asked = resolve({NAME: [["127.0.0.1"], ["169.254.169.254"]]})
    secure.plan = [to("/again"), response(200, PNG)]
    assert "not public" in str(failure(f"https://{NAME}:{secure.port}/", again=False))
    assert asked == [NAME, NAME]
    assert len(secure.requests) == 1


def test_a_redirect_without_location_fails(server):
    server.plan = [response(302)]
    assert failure(server.address, again=False).status == 302


# Nothing of ours is sent ---------------------------------------------------------------------


def test_no_key_no_cookie_no_login_and_no_proxy_of_the_environment(server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mei password secret-word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    server.plan = [
        response(302, location="/b", set_cookie="session=1; Path=/", www_authenticate="Basic realm=x"),
        response(200, PNG),
    ]
    assert get(server.address).data == PNG
    for request in server.requests:
        assert request.headers == {
            "host": f"127.0.0.1:{server.port}",
            "user-agent": "sdweb",
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "close",
        }
        assert request.body == b""


# Limits ----------------------------------------------------------------------------------------


def test_too_large_is_told_before_the_body_and_while_it_comes(server, monkeypatch):
    monkeypatch.setattr(transport_download, "MAX_BYTES", 1024 * 1024)
    server.plan = [
        response(200, b"", content_length=str(1024 * 1024 + 1)),
        response(200, b"", content_length="9" * 40),
        response(200, b"x" * (1024 * 1024 + 1), content_length=""),
        response(200, b"x" * (1024 * 1024)),
    ]
    for _try in range(3):
        assert "1 MiB" in str(failure(server.address, again=False))
    assert len(get(server.address).data) == 1024 * 1024


def test_a_body_without_end_ends_at_the_limit(server):
    sent = []

    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"100000\r\n" + bytes(0x100000) + b"\r\n")
            sent.append(1)

    server.plan = [endless]
    assert "64 MiB" in str(failure(server.address, timeout=20, within=20, again=False))
    assert 60 < len(sent) < 128  # with what the buffers of two sockets hold


DRIPS = {
    "hang": hanging,
    "first line": dripping(b"HTTP/1.1 200 "),
    "header": dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "body": dripping(response(200, b"", content_length="99999")),
    "pieces": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "continue": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_one_deadline_holds_over_all(server, drip):
    server.plan = [drip]
    assert "in time" in str(failure(server.address, timeout=0.5, within=0.9, again=True))


def test_redirects_share_the_deadline(server):
    def slow(connection):
        time.sleep(0.3)
        connection.sendall(to("/next"))

    server.plan = [slow, slow, slow, slow]
    assert "in time" in str(failure(server.address, timeout=0.7, within=1.0, again=True))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_accepts_and_says_nothing_ends_at_the_deadline(scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/"
        failure(url, timeout=0.4, within=0.8, again=True)
        failure(url, timeout=0.0, within=0.2, again=True)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "zstd", "unknown"])
def test_a_compressed_answer_is_refused(server, encoding):
    server.plan = [response(200, b"\x1f\x8b\x08" + bytes(30), content_encoding=encoding)]
    assert "encoding" in str(failure(server.address, again=False))


@pytest.mark.parametrize(
    ("status", "again"),
    [
        (400, False), (401, False), (403, False), (404, False), (410, False), (416, False), (204, False),
        (206, False), (304, False), (202, True), (408, True), (425, True), (429, True), (500, True),
        (502, True), (503, True), (504, True), (524, True),
    ],
)  # fmt: skip
def test_a_status_tells_whether_trying_again_makes_sense(server, status, again):
    server.plan = [response(status, b"")]
    problem = failure(f"{server.address}/?{SIGNATURE}", again=again)
    assert problem.status == status
    assert ("expired" in str(problem)) is (status in {403, 404, 410})


CUTS = {
    "refused": None,
    "reset": reset,
    "closed": lambda connection: connection.close(),
    "truncated": response(200, PNG[:50], content_length=str(len(PNG))),
    "cut in a piece": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n\x89PNG",
    "not http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "empty": response(200, b""),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_result_that_was_cut_off_is_asked_for_again(server, cut):
    if cut is None:
        failure(f"http://127.0.0.1:{free_port()}/", again=True)
        return
    server.plan = [cut]
    failure(server.address, again=True)


# The account's proxy ---------------------------------------------------------------------------


@pytest.fixture
def proxy():
    one = HttpProxy("mei:secret-word")
    yield one
    one.close()


def through(proxy):
    return f"http://mei:secret-word@127.0.0.1:{proxy.port}"


def test_a_proxy_gets_a_tunnel_to_the_name_and_the_certificate_proves_it(secure, proxy, resolve):
    asked = resolve({})
    secure.plan = [response(200, PNG)]
    url = f"https://localhost:{secure.port}/"  # which the proxy resolves, and whose certificate it is not
    failure(url, hosts=["localhost"], proxy=through(proxy), again=True)
    assert not secure.requests
    assert [line.rpartition(" ")[0] for line in proxy.asked] == [f"CONNECT localhost:{secure.port}"]
    assert not asked


def test_a_result_arrives_through_a_proxy(server, proxy):
    server.plan = [response(200, PNG)]
    assert get(f"{server.address}/x", proxy=through(proxy)).data == PNG
    assert proxy.asked[0].startswith(f"GET {server.address}/x")


def test_a_number_is_checked_also_before_a_proxy_gets_it(proxy):
    failure("https://10.0.0.1/", hosts=["10.0.0.1"], allow_private=False, proxy=through(proxy), again=False)
    failure("http://169.254.169.254/", hosts=["169.254.169.254"], proxy=through(proxy), again=False)
    assert not proxy.asked


def test_any_host_is_none_that_leads_inside_also_through_a_proxy(proxy, resolve):
    resolve({"intranet.example": ["93.184.215.14", "10.0.0.7"]})
    for url in ("https://intranet.example/x", "https://localhost/x"):
        reason = failure(url, hosts=["*"], allow_private=False, proxy=through(proxy), again=False)
        assert "not public" in str(reason)
    assert not proxy.asked


def test_a_name_that_only_the_proxy_knows_is_asked_for_there(proxy, resolve):
    asked = resolve({})
    options = {"allow_private": False, "proxy": through(proxy), "again": True, "within": 10}
    failure("https://nobody.invalid/x", hosts=["*"], **options)
    failure("https://nobody.invalid/x", hosts=["*", "nobody.invalid"], **options)
    assert len(proxy.asked) == 2
    assert asked == ["nobody.invalid"]  # a host that the operator has named is not looked up
