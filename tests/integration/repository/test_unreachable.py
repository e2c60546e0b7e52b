"""Whatever is wrong with the repository's database, one error says so, in one line and without the password."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest

from batchrun.errors import ExitCode, RepositoryUnreachableError
from batchrun.repository import open_repository, upgrade
from batchrun.testing.repository.parts import add_step, request


def refusal(url: str) -> str:
    with pytest.raises(RepositoryUnreachableError) as refused:
        open_repository(url)
    assert refused.value.exit_code is ExitCode.REPOSITORY
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500
    return str(refused.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "repository.db"
    file.write_text("name: load-trades\n" * 100)
    assert refusal(f"sqlite:///{file}") == f"the repository sqlite:///{file} cannot be used: file is not a database"


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    assert "unable to open database file" in refusal(f"sqlite:///{tmp_path}")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file" in refusal(f"sqlite:///{tmp_path}/file/repository.db")


def test_a_database_cut_off_in_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "repository.db"
    with closing(open_repository(f"sqlite:///{file}")):
        pass
    file.write_bytes(file.read_bytes()[:6000])
    assert "malformed" in refusal(f"sqlite:///{file}")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike `tmp_path`."""
    with TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_a_folder_that_cannot_be_written(open_folder: Path) -> None:
    script = f"""
import os
from batchrun.errors import RepositoryUnreachableError
from batchrun.repository import open_repository
open_repository("sqlite:///{open_folder}/writable/repository.db").close()  # imports all: nobody may not
os.chmod({str(open_folder)!r}, 0o555)
if os.geteuid() == 0:
    os.setuid(65534)
for path in ("repository.db", "below/repository.db"):
    try:
        open_repository("sqlite:///{open_folder}/" + path)
    except RepositoryUnreachableError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    open_folder.chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"the repository sqlite:///{open_folder}/repository.db cannot be used: "
        "unable to open database file: its folder cannot be written, which SQLite needs to read it, too",
        f"the repository sqlite:///{open_folder}/below/repository.db cannot be used: "
        f"Permission denied: {open_folder}/below",
    ]


@pytest.mark.parametrize("write", ["save_progress", "save_step", "begin"])
def test_a_full_disk(tmp_path: Path, write: str) -> None:
    script = f"""
import resource, sys
from batchrun.errors import RepositoryUnreachableError
from batchrun.repository import open_repository
from batchrun.testing.repository.parts import add_step, request
repository = open_repository("sqlite:///{tmp_path}/repository.db")
execution = repository.begin(request())
step = add_step(repository, execution)
writes = dict(
    save_progress=lambda: repository.save_progress(execution, step),
    save_step=lambda: repository.save_step(execution, step),
    begin=lambda: repository.begin(request(day="2")),
)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    writes[{write!r}]()
except RepositoryUnreachableError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.startswith(f"the repository sqlite:///{tmp_path}/repository.db cannot be used: ")
    assert "disk" in done.stdout


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_is_removed_meanwhile(tmp_path: Path, is_replaced: bool) -> None:
    file = tmp_path / "repository.db"
    with closing(open_repository(f"sqlite:///{file}")) as repository:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        file.rename(tmp_path / "moved.db")
        if is_replaced:
            file.touch()
        for write in (
            lambda: repository.save_progress(execution, step),
            lambda: repository.save_step(execution, step),
            lambda: repository.begin(request(day="2")),
        ):
            with pytest.raises(RepositoryUnreachableError, match="has been removed or replaced since it was opened"):
                write()
        file.unlink(missing_ok=True)
        (tmp_path / "moved.db").rename(file)
        repository.save_step(execution, step)


def test_a_server_that_is_not_there() -> None:
    text = refusal("postgresql://ann:s3cret@127.0.0.1:1/batch")
    assert text.startswith("the repository postgresql+psycopg://ann:***@127.0.0.1:1/batch cannot be used: connection")
    assert "refused" in text
    assert "s3cret" not in text


def test_a_database_that_is_not_there(postgres_url: str) -> None:
    server = urlsplit(postgres_url)
    text = refusal(f"postgresql://{server.netloc.replace('@', ':s3cret@')}/nowhere")
    assert 'database "nowhere" does not exist' in text
    assert "s3cret" not in text


def test_a_user_who_may_not_make_tables(fresh_postgres_database: str) -> None:
    import psycopg

    with psycopg.connect(fresh_postgres_database, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN")
    try:
        url = fresh_postgres_database.replace("//postgres@", "//guest@")
        for use in (open_repository, upgrade):
            with pytest.raises(RepositoryUnreachableError, match="permission denied for schema public"):
                use(url)
    finally:
        with psycopg.connect(fresh_postgres_database, autocommit=True) as connection:
            connection.execute("DROP ROLE guest")


def test_a_server_that_has_dropped_the_connections_is_found_again(fresh_postgres_database: str) -> None:
    import psycopg

    with closing(open_repository(fresh_postgres_database)) as repository:
        execution = repository.begin(request())
        step = add_step(repository, execution)
        repository.save_progress(execution, step)
        with psycopg.connect(fresh_postgres_database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        step.counts.read = 7
        repository.save_progress(execution, step)
        assert repository.find_execution(execution.id).steps[0].counts.read == 7
