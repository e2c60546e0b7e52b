"""Many processes on one repository at once."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

from batchrun.domain.selection import ExecutionFilter
from batchrun.domain.status import BatchStatus
from batchrun.repository import open_repository

_PROCESSES = 20

# Forks, so that what takes long, the imports, is done once, and all begin at the same moment.
_FIRST_USE = """
import os, sys, traceback
import psycopg, sqlalchemy.dialects.postgresql, sqlalchemy.dialects.sqlite
from batchrun.domain.status import BatchStatus
from batchrun.repository import open_repository
from batchrun.testing.repository.parts import add_step, request, save

def use(url, number):
    repository = open_repository(url)
    execution = repository.begin(request(number=str(number)))
    step = add_step(repository, execution)
    for _ in range(20):
        step.counts.commit += 1
        repository.save_progress(execution, step)
    save(repository, execution, BatchStatus.COMPLETED)
    os.write(1, f"{repository.id}\\n".encode())
    repository.close()

url, count = sys.argv[1], int(sys.argv[2])
waiting, go = os.pipe()
for number in range(count):
    if os.fork() == 0:
        os.close(go)
        os.read(waiting, 1)
        try:
            use(url, number)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(0)
os.close(go)
for _ in range(count):
    os.wait()
"""


def test_many_processes_use_a_new_repository_at_once(repository_url: str) -> None:
    command = [sys.executable, "-c", _FIRST_USE, repository_url, str(_PROCESSES)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    with closing(open_repository(repository_url)) as repository:
        assert done.stdout.splitlines() == [repository.id] * _PROCESSES
        executions = repository.find_executions(ExecutionFilter(statuses=[BatchStatus.COMPLETED]))
        assert [each.steps[0].counts.commit for each in executions] == [20] * _PROCESSES
