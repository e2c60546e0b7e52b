"""The tasklet `http`, against a server on loopback."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from batchrun.errors import StepStoppedError, TaskletError
from batchrun.spi.tasklet import StepContribution
from tests.unit.components.tasklets.bench import make, problems, run


class Server(ThreadingHTTPServer):
    """Answers by path, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.is_waiting = Event()
        self.may_answer = Event()
        self.elsewhere = ""
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_args: Any) -> None:
        """Says nothing."""

    def answer(self, status: int, body: bytes = b"", type: str = "text/plain", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def any_method(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        path = self.path.partition("?")[0]
        if path == "/json":
            self.answer(200, b'{"rows": 3}', "application/json; charset=utf-8")
        elif path == "/no-json":
            self.answer(200, b"<html>", "application/json")
        elif path == "/text":
            self.answer(200, "größer".encode("latin-1"), "text/plain; charset=iso-8859-1")
        elif path == "/large":
            self.answer(200, b"x" * 1_000_000)
        elif path == "/down":
            self.answer(503, b"\nthe database is away\nmore")
        elif path == "/short":
            self.answer(200, b"half", **{"Content-Length": "9"})
        elif path == "/redirect":
            self.answer(int(self.path.partition("?")[2]), Location="/json")
        elif path == "/elsewhere":
            self.answer(307, Location=f"{self.server.elsewhere}/json")
        elif path == "/to-a-file":
            self.answer(302, Location="file:///etc/passwd")
        elif path == "/round":
            self.answer(302, Location="/round")
        elif path == "/slow":
            self.server.is_waiting.set()
            self.server.may_answer.wait(20)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = any_method  # noqa: N815


def serve(server: Server) -> Iterator[Server]:
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.may_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serve(Server())


@pytest.fixture
def other() -> Iterator[Server]:
    yield from serve(Server())


def send(folder: Path, url: str, **options: Any) -> StepContribution:
    return run(make(folder, "http", url=url, **options))[1]


def test_it_gets_by_default_and_keeps_json_in_the_context(tmp_path: Path, server: Server) -> None:
    contribution = send(tmp_path, f"{server.url}/json?day=1", headers={"X-Key": "k"}, output="report")
    assert contribution.context == {"report": {"rows": 3}}
    [(method, path, headers, body)] = server.asked
    assert (method, path, headers["x-key"], body) == ("GET", "/json?day=1", "k", b"")


def test_an_answer_that_is_no_json_is_kept_as_text(tmp_path: Path, server: Server) -> None:
    assert send(tmp_path, f"{server.url}/text", output="said").context == {"said": "größer"}


@pytest.mark.parametrize(
    ("options", "type", "body"),
    [
        ({"json": {"a": [1, "ö"]}}, "application/json", '{"a":[1,"ö"]}'),
        ({"form": {"a": "1 2", "b": "&"}}, "application/x-www-form-urlencoded", "a=1+2&b=%26"),
        ({"body": "ö"}, "text/plain; charset=utf-8", "ö"),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, "text/xml", "<a/>"),
    ],
)
def test_it_posts_what_there_is_to_send(
    tmp_path: Path, server: Server, options: dict[str, Any], type: str, body: str
) -> None:
    send(tmp_path, f"{server.url}/json", **options)
    [(method, _, headers, sent)] = server.asked
    assert (method, headers["content-type"], sent.decode()) == ("POST", type, body)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE"])
def test_it_may_ask_by_any_method(tmp_path: Path, server: Server, method: str) -> None:
    send(tmp_path, f"{server.url}/json", method=method)
    assert server.asked[0][0] == method


def test_an_unexpected_status_fails_with_what_the_server_says(tmp_path: Path, server: Server) -> None:
    with pytest.raises(TaskletError, match=r"^GET http.*/down was answered with 503 .*: the database is away$"):
        send(tmp_path, f"{server.url}/down")
    send(tmp_path, f"{server.url}/down", expect=[503])
    with pytest.raises(TaskletError, match="was answered with 200 OK"):
        send(tmp_path, f"{server.url}/json", expect=[404])


def test_a_body_is_saved_whole(tmp_path: Path, server: Server) -> None:
    (tmp_path / "got").write_text("old")
    contribution = send(tmp_path, f"{server.url}/large", save_to="got")
    assert (tmp_path / "got").read_bytes() == b"x" * 1_000_000
    assert contribution.counts.write == 1
    assert [path.name for path in tmp_path.iterdir()] == ["got"]


def test_a_body_that_breaks_off_is_an_error_and_leaves_the_file_as_it_was(tmp_path: Path, server: Server) -> None:
    (tmp_path / "got").write_text("old")
    with pytest.raises(TaskletError, match="the answer breaks off"):
        send(tmp_path, f"{server.url}/short", save_to="got")
    assert (tmp_path / "got").read_text() == "old"


def test_a_body_too_large_for_the_context_is_refused(tmp_path: Path, server: Server) -> None:
    with pytest.raises(TaskletError, match="more than 65536 bytes"):
        send(tmp_path, f"{server.url}/large", output="body")


def test_a_body_that_is_not_what_it_says_is_an_error(tmp_path: Path, server: Server) -> None:
    with pytest.raises(TaskletError, match="was answered with what is no application/json"):
        send(tmp_path, f"{server.url}/no-json", output="body")


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirect_is_followed_as_a_browser_does(tmp_path: Path, server: Server, status: int, method: str) -> None:
    contribution = send(tmp_path, f"{server.url}/redirect?{status}", json={"a": 1}, output="got")
    assert contribution.context == {"got": {"rows": 3}}
    last = server.asked[-1]
    assert (last[0], last[3]) == (method, b'{"a":1}' if method == "POST" else b"")
    assert ("content-type" in last[2]) == (method == "POST")


def test_credentials_do_not_go_to_another_origin(tmp_path: Path, server: Server, other: Server) -> None:
    server.elsewhere = other.url
    send(tmp_path, f"{server.url}/elsewhere", headers={"Authorization": "Bearer x", "X-Key": "k", "Accept": "a/b"})
    [(_, _, headers, _)] = other.asked
    assert headers["accept"] == "a/b"
    assert headers["host"] == other.url.removeprefix("http://")
    assert not {"authorization", "x-key"} & headers.keys()


@pytest.mark.parametrize("path", ["round", "to-a-file"])
def test_a_redirect_that_leads_nowhere_is_told(tmp_path: Path, server: Server, path: str) -> None:
    with pytest.raises(TaskletError, match=r"redirects to .*, which is not followed"):
        send(tmp_path, f"{server.url}/{path}")


def test_redirects_may_be_left_alone(tmp_path: Path, server: Server) -> None:
    with pytest.raises(TaskletError, match="which is not followed"):
        send(tmp_path, f"{server.url}/redirect?302", redirects=0)


def test_a_server_that_is_not_there_is_told(tmp_path: Path, server: Server) -> None:
    with pytest.raises(TaskletError, match=r"^GET http://127\.0\.0\.1:1/: connection refused$"):
        send(tmp_path, "http://127.0.0.1:1/")


def test_a_silent_server_is_given_up(tmp_path: Path, server: Server) -> None:
    with pytest.raises(TaskletError, match="no answer in time"):
        send(tmp_path, f"{server.url}/slow", timeout="200ms")


def test_a_stop_does_not_wait_for_the_server(tmp_path: Path, server: Server) -> None:
    begun = time.monotonic()
    with pytest.raises(StepStoppedError):
        run(make(tmp_path, "http", should_stop=server.is_waiting.is_set, url=f"{server.url}/slow"))
    assert time.monotonic() - begun < 10


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate by openssl")
def test_a_certificate_is_checked_unless_told_otherwise(tmp_path: Path) -> None:
    pem = tmp_path / "server.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=here", "-days", "2"]
    subprocess.run([*made, "-keyout", pem, "-out", tmp_path / "cert"], check=True, capture_output=True)
    pem.write_text(pem.read_text() + (tmp_path / "cert").read_text())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    secure = Server()
    secure.scheme = "https"
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    for server in serve(secure):
        with pytest.raises(TaskletError, match="the server's certificate is not trusted: self-signed certificate"):
            send(tmp_path, f"{server.url}/json")
        assert send(tmp_path, f"{server.url}/json", verify=False, output="got").context == {"got": {"rows": 3}}


def test_options_that_do_not_fit_are_told() -> None:
    assert problems("http", url="ftp://here/") == ["the URL begins with neither http:// nor https://"]
    assert problems("http", url="https://user:word@here/") == ["the URL holds a user"]
    assert problems("http", url="https://here/", body="a", form={}) == ["one of form, body is enough"]
    assert problems("http", url="https://here/", save_to="a", output="b") == [
        "the answer goes to `save_to` or to `output`, not both"
    ]
