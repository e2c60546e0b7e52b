"""Whether an owner's process is certainly gone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from batchrun.engine.owner import current_owner, is_gone


def test_this_process_is_not_gone() -> None:
    assert not is_gone(current_owner())


def test_an_ended_process_is_gone() -> None:
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    assert is_gone(replace(current_owner(), pid=int(child.stdout)))


def test_a_reused_pid_is_another_process() -> None:
    here = current_owner()
    assert is_gone(replace(here, started_ticks=here.started_ticks - 1))


def test_a_zombie_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        with open(f"/proc/{child.pid}/stat") as stat:
            while stat.read().rpartition(")")[2].split()[0] != "Z":
                stat.seek(0)
        assert is_gone(replace(current_owner(), pid=child.pid))
    finally:
        child.wait()


def test_another_boot_of_this_host_is_gone() -> None:
    here = current_owner()
    assert is_gone(replace(here, boot_id="another/" + here.boot_id.partition("/")[2]))


def test_another_pid_namespace_cannot_be_judged() -> None:
    here = current_owner()
    assert not is_gone(replace(here, pid=4_000_000, boot_id=here.boot_id.partition("/")[0] + "/pid:[1]"))


def test_another_host_cannot_be_judged() -> None:
    assert not is_gone(replace(current_owner(), host="elsewhere", pid=4_000_000))
