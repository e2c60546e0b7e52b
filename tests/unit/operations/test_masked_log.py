"""Secrets stay out of the log of a run, whoever writes and wherever it goes."""

from __future__ import annotations

import logging

import pytest

from batchrun.operations.masked_log import masked_log

_log = logging.getLogger("elsewhere.below")


def mask(text: str) -> str:
    return text.replace("hunter2", "***")


def test_a_message_its_arguments_and_its_traceback_are_masked(caplog: pytest.LogCaptureFixture) -> None:
    with masked_log(mask):
        _log.warning("hunter2 and %s", "hunter2")
        try:
            raise ValueError("hunter2")
        except ValueError:
            _log.exception("failed")
    assert [record.getMessage() for record in caplog.records] == ["*** and ***", "failed"]
    assert "ValueError: ***" in caplog.text
    assert "hunter2" not in caplog.text


def test_what_holds_no_secret_keeps_its_arguments(caplog: pytest.LogCaptureFixture) -> None:
    with masked_log(mask):
        _log.warning("day %d", 5)
    assert (caplog.records[0].msg, caplog.records[0].args) == ("day %d", (5,))


def test_a_message_that_cannot_be_formatted_is_left_to_the_handlers() -> None:
    with masked_log(mask):
        record = _log.makeRecord("x", logging.WARNING, "file.py", 1, "%d", ("five",), None)
    assert (record.msg, record.args) == ("%d", ("five",))


def test_runs_beside_each_other_mask_each_others_secrets_to_their_end(caplog: pytest.LogCaptureFixture) -> None:
    factory = logging.getLogRecordFactory()
    with masked_log(lambda text: text.replace("outer", "***")):
        with masked_log(mask):
            _log.warning("outer hunter2")
        _log.warning("outer hunter2")
    _log.warning("outer hunter2")
    assert caplog.messages == ["*** ***", "*** hunter2", "outer hunter2"]
    assert logging.getLogRecordFactory() is factory
