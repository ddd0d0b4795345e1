import pytest

from chaosgate import http, protocol
from chaosgate.errors import DaemonGone, Invalid

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN


@pytest.mark.parametrize("message", [PLAIN, CHUNKED, INTERIM], ids=["length", "chunks", "interim"])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_answers_in_any_pieces(message, step):
    reply = http.Reply()
    for at in range(0, len(message), step):
        assert not reply.done
        reply.feed(message[at : at + step])
    assert (reply.done, reply.keeps, reply.status, reply.body()) == (True, True, 200, b"hello")


@pytest.mark.parametrize(
    "message, body, keeps",
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
        (PLAIN + b"more", b"hello", False),
    ],
)
def test_whether_a_connection_is_kept(message, body, keeps):
    reply = http.Reply()
    reply.feed(message)
    assert (reply.done, reply.body(), reply.keeps) == (True, body, keeps)


def test_an_answer_that_ends_with_its_connection():
    reply = http.Reply()
    reply.feed(b"HTTP/1.1 200 OK\r\n\r\nhel")
    reply.feed(b"lo")
    assert not reply.done
    reply.feed(b"")
    assert (reply.done, reply.body(), reply.keeps) == (True, b"hello", False)


@pytest.mark.parametrize(
    "parts, says",
    [
        ([b""], "without an answer"),
        ([PLAIN[:-1], b""], "amid an answer"),
        ([CHUNKED[:-1], b""], "amid an answer"),
        ([b"SSH-2.0-x\r\n\r\n"], "does not speak HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"], "length"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"], "chunk"),
        ([b"x" * (http.MOST_HEAD + 1)], "do not end"),
    ],
)
def test_what_is_no_answer(parts, says):
    reply = http.Reply()
    with pytest.raises(http.Broken, match=says):
        for part in parts:
            reply.feed(part)


@pytest.mark.parametrize("url", ["", "http://", "https://x", "ftp://x", "http://x:y", "http://x/?q=1", "http://me@x", "http://x\n"])
def test_what_is_no_url(url):
    with pytest.raises(ValueError, match="want a URL such as http://127.0.0.1:8474"):
        http.address(url)


@pytest.mark.parametrize(
    "url, want",
    [
        ("127.0.0.1:1", ("http://127.0.0.1:1", "127.0.0.1", 1, "")),
        ("http://[::1]:8474/", ("http://[::1]:8474", "::1", 8474, "")),
        ("http://x/chaos/", ("http://x/chaos", "x", 80, "/chaos")),
    ],
)
def test_urls(url, want):
    a = http.address(url)
    assert (a.url, a.host, a.port, a.path) == want


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_names_that_would_be_another_path(name):
    with pytest.raises(Invalid, match="want a name"):
        protocol.Speaker("127.0.0.1:1", None, None).request("GET", ("v1", "gates", name))


def test_a_request_is_quoted():
    speaker = protocol.Speaker("127.0.0.1:1", "secret", "a b ü")
    speaker.boot = "BOOT"
    message = speaker.request("PUT", ("v1", "gates", "a b/c?"), {"n": 1, "type": ["x", "y"]}, body={"k": "ü"}).decode()
    head, _, body = message.partition("\r\n\r\n")
    assert head.split("\r\n")[0] == "PUT /v1/gates/a%20b%2Fc%3F?n=1&type=x&type=y HTTP/1.1"
    for line in ("Host: 127.0.0.1:1", "Authorization: Bearer secret", "Chaosgate-By: a b ü", 'If-Match: "BOOT"', f"Content-Length: {len(body)}"):
        assert line in head.split("\r\n")


def test_another_server_is_no_daemon():
    reply = http.Reply()
    reply.feed(PLAIN)
    with pytest.raises(DaemonGone, match="what does is something else, and says 200"):
        protocol.Speaker("127.0.0.1:1", None, None).answer(reply)
