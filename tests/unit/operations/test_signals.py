"""Signals stop a run at once, whatever its main thread is busy with."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from threading import Thread

import pytest

from batchrun.engine import StopSignal
from batchrun.operations.signals import stopped_by_signals

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_seen_while_the_main_thread_is_inside_a_statement(number: int) -> None:
    stop = StopSignal()
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as database:

        def stopper() -> None:
            time.sleep(0.05)  # the statement has begun
            os.kill(os.getpid(), number)
            while not stop.is_requested:
                time.sleep(0.01)
            database.interrupt()

        with stopped_by_signals(stop):
            Thread(target=stopper).start()
            with pytest.raises(sqlite3.OperationalError, match="interrupted"):
                database.execute(ENDLESS).fetchall()


def press_ctrl_c_and_wait() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)


def test_the_first_signal_stops_and_a_second_sigint_aborts() -> None:
    stop = StopSignal()
    with stopped_by_signals(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                press_ctrl_c_and_wait()
            time.sleep(0.05)  # no further one comes
    assert stop.is_requested


def test_what_was_ignored_stays_ignored_and_what_was_there_comes_back() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stopped_by_signals(stop := StopSignal()):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        assert not stop.is_requested
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    terminate = signal.getsignal(signal.SIGTERM)
    with stopped_by_signals(StopSignal()):
        assert signal.getsignal(signal.SIGTERM) != terminate
    assert signal.getsignal(signal.SIGTERM) == terminate
