"""A TCP proxy on loopback in front of a server, such as PostgreSQL, that fails as a network does: now, or at a byte."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from urllib.parse import urlsplit, urlunsplit

_AT_ONCE = 1 << 16
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class _Cut:
    """The next cut: in which direction, and behind what."""

    to_server: bool
    left: int | None = None
    marker: bytes = b""
    nth: int = 1
    passes_marker: bool = True
    action: Callable[[], object] | None = None


@dataclass(slots=True)
class _Connection:
    client: socket.socket
    server: socket.socket
    tail: bytes = b""
    is_mute: bool = False

    def reset(self) -> None:
        """Ends both sides as a cut network does: without a word of the protocol."""
        for side in (self.client, self.server):
            with suppress(OSError):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                side.shutdown(socket.SHUT_RDWR)
            side.close()


@dataclass(slots=True)
class FaultyProxy:
    """Passes connections on to a server until it is told to fail.

    Attributes:
        host: of the server.
        server_port: of the server.
        port: where the proxy listens on 127.0.0.1.
        accepted: how many connections there have been.
        cuts: how often what `cut_after`, `cut_at`, `lose_reply_to` or `call_at` had in mind has happened; the last of
            them that was asked for counts, and happens once.
    """

    host: str
    server_port: int
    port: int = 0
    accepted: int = 0
    cuts: int = 0
    _listener: socket.socket | None = None
    _connections: list[_Connection] = field(default_factory=list)
    _cut: _Cut | None = None
    _is_refusing: bool = False
    _lock: Lock = field(default_factory=Lock)

    def url(self, url: str) -> str:
        """Returns a URL of the server as one that leads through the proxy."""
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@127.0.0.1:{self.port}" if user else f"127.0.0.1:{self.port}"
        return urlunsplit(parts._replace(netloc=netloc))

    def start(self) -> None:
        """Begins to listen, at the same port as before where it has listened."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port, self._listener = listener.getsockname()[1], listener
        Thread(target=self._accept, args=(listener,), name=f"proxy-{self.port}", daemon=True).start()

    def stop(self) -> None:
        """Drops all connections, and listens no more: a new one finds nobody there."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.drop()

    def drop(self) -> int:
        """Cuts all connections there are; returns how many."""
        with self._lock:
            going, self._connections = self._connections, []
        for each in going:
            each.reset()
        return len(going)

    def refuse(self, refusing: bool = True) -> None:
        """Cuts new connections as soon as they come, or takes them again; those there are stay."""
        self._is_refusing = refusing

    def cut_after(self, count: int, *, to_server: bool = True) -> None:
        """Cuts a connection once so many more bytes have gone in a direction, whatever is in the middle then."""
        self._cut = _Cut(to_server, left=count)

    def cut_at(self, marker: bytes, nth: int = 1) -> None:
        """Cuts a connection when a client says this for the nth time, before the server hears of it."""
        self._cut = _Cut(True, marker=marker, nth=nth, passes_marker=False)

    def lose_reply_to(self, marker: bytes, nth: int = 1) -> None:
        """Lets the server hear what a client says with this in it, and cuts the connection before its reply."""
        self._cut = _Cut(True, marker=marker, nth=nth)

    def call_at(self, marker: bytes, action: Callable[[], object], nth: int = 1) -> None:
        """Calls a function when a client says this for the nth time, and passes it on once that has returned."""
        self._cut = _Cut(True, marker=marker, nth=nth, action=action)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # `stop` has closed it
                return
            self.accepted += 1
            self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            if self._is_refusing:
                raise ConnectionRefusedError
            server = socket.create_connection((self.host, self.server_port), timeout=10)
            server.settimeout(None)
        except OSError:
            client.close()
            return
        connection = _Connection(client, server)
        with self._lock:
            self._connections.append(connection)
        for to_server in (True, False):
            Thread(target=self._pass, args=(connection, to_server), name=f"proxy-{self.port}", daemon=True).start()

    def _pass(self, connection: _Connection, to_server: bool) -> None:
        source, sink = (connection.client, connection.server) if to_server else (connection.server, connection.client)
        with suppress(OSError):
            while data := source.recv(_AT_ONCE):
                kept = self._kept(connection, data, to_server)
                if not to_server and connection.is_mute:
                    break
                sink.sendall(data[:kept])
                if to_server and connection.is_mute:
                    return  # the other direction ends it once the reply is there, and does not pass that on
                if kept < len(data):
                    break
        self._end(connection)

    def _kept(self, connection: _Connection, data: bytes, to_server: bool) -> int:
        """Returns how much of the data passes, as the next cut has it."""
        with self._lock:
            cut = self._cut
            if cut is None or cut.to_server != to_server:
                return len(data)
            if cut.left is not None:
                cut.left -= len(data)
                if cut.left > 0:
                    return len(data)
                kept = len(data) + cut.left
            else:
                seen = connection.tail + data
                connection.tail = seen[-len(cut.marker) + 1 :] if len(cut.marker) > 1 else b""
                if cut.marker not in seen:
                    return len(data)
                cut.nth -= 1
                if cut.nth > 0:
                    return len(data)
                connection.is_mute = cut.passes_marker and cut.action is None
                kept = len(data) if cut.passes_marker else 0
            self._cut = None
            self.cuts += 1
        if cut.action is not None:
            cut.action()
        return kept

    def _end(self, connection: _Connection) -> None:
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)
        connection.reset()


@contextmanager
def proxy_to(url: str) -> Iterator[FaultyProxy]:
    """Gives a proxy in front of the server that a URL names, such as `postgresql://me@127.0.0.1:5432/db`.

    Raises:
        ValueError: the URL names no host and port.
    """
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"{url!r} names no host and port")
    proxy = FaultyProxy(parts.hostname, parts.port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
