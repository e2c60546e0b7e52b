"""The proxy passes what it gets, until it is told to fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from batchrun.testing.proxy import FaultyProxy, proxy_to

HEARD: list[bytes] = []


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    """In front of a server that says what it hears."""
    HEARD.clear()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            while data := _received(client):
                HEARD.append(data)
                try:
                    client.sendall(data)
                except OSError:
                    return

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            Thread(target=serve, args=(client,), daemon=True).start()

    thread = Thread(target=accept, daemon=True)
    thread.start()
    with proxy_to(f"echo://me:pass@127.0.0.1:{listener.getsockname()[1]}/x") as proxy:
        yield proxy
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def _received(connection: socket.socket) -> bytes:
    """Returns what comes next; nothing where the connection is cut."""
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""


def connected(proxy: FaultyProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=20)


def said(connection: socket.socket, data: bytes) -> bytes:
    try:
        connection.sendall(data)
    except OSError:
        return b""
    return _received(connection)


def test_what_is_said_arrives_and_a_url_leads_through(proxy: FaultyProxy) -> None:
    with closing(connected(proxy)) as connection:
        assert said(connection, b"a") == b"a"
    assert proxy.url("postgresql://me:p%40@db:5432/x?y=1") == f"postgresql://me:p%40@127.0.0.1:{proxy.port}/x?y=1"
    assert proxy.accepted == 1


def test_dropped_connections_are_cut_and_new_ones_come(proxy: FaultyProxy) -> None:
    with closing(connected(proxy)) as old, closing(connected(proxy)) as new:
        assert said(old, b"a") == said(new, b"a") == b"a"
        assert proxy.drop() == 2
        assert said(old, b"b") == b""
    proxy.refuse()
    with closing(connected(proxy)) as refused:
        assert said(refused, b"a") == b""
    proxy.refuse(False)
    with closing(connected(proxy)) as new:
        assert said(new, b"a") == b"a"


def test_a_proxy_that_is_stopped_is_not_there_until_it_starts_again(proxy: FaultyProxy) -> None:
    proxy.stop()
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)
    proxy.start()
    with closing(connected(proxy)) as connection:
        assert said(connection, b"a") == b"a"


def test_a_cut_comes_in_the_middle_of_what_is_said(proxy: FaultyProxy) -> None:
    proxy.cut_after(5)
    with closing(connected(proxy)) as connection:
        assert said(connection, b"abc") == b"abc"
        said(connection, b"defg")
        assert _received(connection) == b""
    assert b"".join(HEARD) in (b"abc", b"abcde")
    assert proxy.cuts == 1


def test_a_reply_is_lost_to_what_the_server_has_heard_and_not_to_what_it_has_not(proxy: FaultyProxy) -> None:
    proxy.lose_reply_to(b"COMMIT", nth=2)
    with closing(connected(proxy)) as connection:
        assert said(connection, b"COMMIT 1") == b"COMMIT 1"
        assert said(connection, b"COMMIT 2") == b""
    proxy.cut_at(b"COMMIT")
    with closing(connected(proxy)) as connection:
        assert said(connection, b"COM") == b"COM"
        assert said(connection, b"MIT 3") == b""
    assert HEARD == [b"COMMIT 1", b"COMMIT 2", b"COM"]


def test_something_happens_before_the_server_hears(proxy: FaultyProxy) -> None:
    before: list[int] = []
    proxy.call_at(b"b", lambda: before.append(len(HEARD)))
    with closing(connected(proxy)) as connection:
        assert [said(connection, each) for each in (b"a", b"b", b"b")] == [b"a", b"b", b"b"]
    assert before == [1]


def test_a_url_without_a_port_is_refused() -> None:
    with pytest.raises(ValueError, match="names no host and port"), proxy_to("postgresql:///db"):
        pass
