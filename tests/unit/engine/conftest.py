"""Fixtures of the engine's tests."""

from __future__ import annotations

import pytest

from tests.unit.engine.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
