"""The tools that batchrun is measured against, each as a user would run it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.contest import Check, Command, Contender
from benchmarks.place import PEERS, Place, check_peer

SPRING = PEERS / "spring" / "target" / "spring-peer.jar"


def psql(name: str, *commands: str, check: Check | None = None) -> Contender:
    """Returns commands of psql, run one after the other; `{lineitem}` and the like stand for paths."""

    def command(place: Place) -> Command:
        made = [part for each in commands for part in ("-c", _filled(each, place))]
        return Command(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", place.url, *made])

    return Contender(name, command, _needs("psql", "postgresql-client"), check=check)


def shell(name: str, line: str, *programs: str) -> Contender:
    """Returns a line of the shell, such as a pipe."""

    def missing(place: Place) -> str:
        return next(filter(None, (_needs(each)(place) for each in programs)), "")

    return Contender(name, lambda place: Command(["sh", "-c", _filled(line, place)]), missing)


def sqlite3_import() -> Contender:
    """Returns the import of SQLite's own shell."""
    command = '.import --csv --skip 1 "{lineitem}" lineitem'
    return Contender(
        "sqlite3 .import",
        lambda place: Command(["sqlite3", str(place.sqlite), _filled(command, place)]),
        _needs("sqlite3"),
    )


def python(
    name: str,
    script: str,
    *arguments: str,
    largest: float = 100,
    check: Check | None = None,
    own_seconds: Callable[[str], float] | None = None,
) -> Contender:
    """Returns a script of `benchmarks/peers`, run in the environment of the peers."""

    def command(place: Place) -> Command:
        filled = [_filled(each, place) for each in arguments]
        return Command([str(place.peers_python), str(PEERS / script), *filled], {"PYTHONPATH": str(PEERS)})

    def missing(place: Place) -> str:
        return "" if place.peers_python.exists() else "make bench installs it"

    return Contender(name, command, missing, own_seconds, largest, check)


def pgloader() -> Contender:
    """Returns pgloader, with the command file that its documentation has for CSV."""

    def command(place: Place) -> Command:
        address = urlsplit(place.url)
        path = place.folder / "lineitem.load"
        path.write_text(
            f"LOAD CSV FROM '{place.lineitem}'\n"
            f"INTO postgresql://{address.username}@{address.hostname}:{address.port}{address.path}\n"
            "TARGET TABLE public.lineitem\n"
            "WITH skip header = 1, fields optionally enclosed by '\"', fields terminated by ',',\n"
            "     batch rows = 25000, prefetch rows = 100000;\n"
        )
        return Command(["pgloader", "--quiet", str(path)])

    return Contender("pgloader", command, _needs("pgloader"))


def sling() -> Contender:
    """Returns Sling, with the command that its documentation has for a file; it makes the table by itself."""

    def program(place: Place) -> Path | None:
        environment = place.peers_python.parent.parent
        return next(environment.glob("lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"), None)

    def command(place: Place) -> Command:
        found = program(place)
        assert found is not None
        found.chmod(0o755)
        source = ["--src-stream", f"file://{place.lineitem}"]
        target = ["--tgt-conn", f"{place.url}?sslmode=disable", "--tgt-object", "public.lineitem_peer"]
        variables = {"SLING_HOME_DIR": str(place.folder / "sling"), "SLING_DISABLE_TELEMETRY": "TRUE"}
        return Command([str(found), "run", *source, *target, "--mode", "full-refresh"], variables)

    def missing(place: Place) -> str:
        return "" if program(place) else "its package is not installed; there is one for Linux on x86-64"

    return Contender("Sling", command, missing, largest=0.1, check=check_peer)


def spring(name: str = "Spring Batch 6", *, chunk: int, **options: str) -> Contender:
    """Returns the Maven project in `benchmarks/peers/spring`; its own seconds leave out the start of the JVM."""

    def command(place: Place) -> Command:
        address = urlsplit(place.url)
        url = f"jdbc:postgresql://{address.hostname}:{address.port}{address.path}"
        given = {"table": "lineitem", "processor": "none", "mode": "insert", **options}
        arguments = [part for key, value in given.items() for part in (f"--{key}", value)]
        fixed = ["--input", str(place.lineitem), "--url", url, "--user", address.username or "", "--chunk", str(chunk)]
        run = str(len(list(place.folder.iterdir())) + place.sql("SELECT extract(epoch FROM now())::bigint")[0][0])  # type: ignore[operator]
        return Command(["java", "-jar", str(SPRING), *fixed, *arguments, "--run", run])

    def missing(place: Place) -> str:
        return _needs("java")(place) or ("" if SPRING.exists() else "it is not built: that needs Maven (mvn)")

    return Contender(f"{name}, chunk {chunk:,}", command, missing, printed_seconds("step_seconds"))


def batchrun(name: str, job: str, parameters: Mapping[str, str], *, label: str = "batchrun") -> Contender:
    """Returns a launch of a job.

    Args:
        name: of the job.
        job: what its file says behind the name; `{…}` stays, so parameters are `${params.…}`.
        parameters: of the launch; `{lineitem}` and the like stand for paths.
        label: as the tables have it.
    """

    def command(place: Place) -> Command:
        place.job(name, job)
        place.forget_runs()
        given = [f"{key}={_filled(value, place)}" for key, value in parameters.items()]
        return Command(place.batchrun("launch", name, *given, "--output", "json"))

    return Contender(label, command, own_seconds=step_seconds)


def step_seconds(printed: str) -> float:
    """Returns how long the steps of an execution took, of what a command of batchrun has printed as JSON."""
    from datetime import datetime

    steps = json.loads(printed)["steps"]
    return sum(
        (datetime.fromisoformat(step["ended_at"]) - datetime.fromisoformat(step["started_at"])).total_seconds()
        for step in steps
    )


def printed_seconds(key: str) -> Callable[[str], float]:
    """Returns what reads a command's own seconds in the last line that it prints, which is JSON."""
    return lambda printed: float(json.loads(printed.strip().splitlines()[-1])[key])


def _needs(program: str, package: str = "") -> Callable[[Place], str]:
    return lambda _place: "" if shutil.which(program) else f"{program} is not installed (Debian: {package or program})"


def _filled(text: str, place: Place) -> str:
    values: dict[str, object] = {
        "lineitem": place.lineitem,
        "url": place.url,
        "sqlite": place.sqlite,
        "folder": place.folder,
        "data": place.lineitem.parent,
    }
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    return text


def python_loaders(*extra: str, largest: float) -> Sequence[Contender]:
    """Returns the loaders of Python that read a CSV file into a table of PostgreSQL."""
    given = ("{lineitem}", "{url}", *extra)
    return [
        python("polars write_database (ADBC)", "polars_load.py", *given, check=check_peer),
        python("pandas to_sql", "pandas_load.py", *given, largest=largest),
        python("petl todb", "petl_load.py", *given, largest=largest),
        python("dlt", "dlt_load.py", *given, largest=largest, check=check_peer),
        python("csv.DictReader + SQLAlchemy", "script_load.py", *given, largest=largest),
    ]
