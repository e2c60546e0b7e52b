"""The contract suite of JobRepository: one class that puts any implementation through everything.

Name it in a test module and say how to open the repository:

    class TestMyRepository(JobRepositoryContract):
        @pytest.fixture
        def open_repository(self, tmp_path):
            return lambda: MyRepository(tmp_path / "repository")

Each call of what `open_repository` returns opens the same repository again, as another process would; the suite closes
what it opens. An implementation that sends statements to a database also gives `statement_count`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchrun.testing.repository.carrying import CarryingContract
from batchrun.testing.repository.fencing import FencingContract
from batchrun.testing.repository.history import HistoryContract
from batchrun.testing.repository.launching import LaunchingContract
from batchrun.testing.repository.numbering import NumberingContract
from batchrun.testing.repository.operating import OperatingContract
from batchrun.testing.repository.purging import PurgingContract
from batchrun.testing.repository.steps import StepContract

__all__ = ["JobRepositoryContract"]


class JobRepositoryContract(
    LaunchingContract,
    NumberingContract,
    FencingContract,
    OperatingContract,
    StepContract,
    HistoryContract,
    PurgingContract,
    CarryingContract,
):
    """Everything that a JobRepository promises; a test class inherits it and gives the fixture `open_repository`."""

    @pytest.fixture
    def statement_count(self) -> Callable[[], int]:
        """Returns what tells how many statements have been sent so far; none, where there is no database."""
        return lambda: 0
