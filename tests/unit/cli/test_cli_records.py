"""history and show: tables for people, JSON for scripts, and the way on from what failed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchrun.domain.execution import StepTimes
from batchrun.domain.parameters import JobParameter
from batchrun.domain.status import BatchStatus
from tests.unit.cli.conftest import Result
from tests.unit.cli.doubles import PARAMETERS, ApplicationDouble, execution_of, step_of

Run = Callable[..., Result]


@pytest.fixture
def application() -> ApplicationDouble:
    failed = step_of(status=BatchStatus.FAILED, description="trades.csv:17: no integer\nDETAIL: abc", read=16)
    return ApplicationDouble(
        executions=[
            execution_of(step_of(read=336_776, write=336_000), id=1, instance_id=1, parameters=PARAMETERS),
            execution_of(failed, id=2, status=BatchStatus.FAILED, code="BAD INPUT", instance_id=2),
            execution_of(id=3, status=BatchStatus.STARTED, instance_id=9, job_name="other"),
            execution_of(failed, id=4, status=BatchStatus.FAILED, instance_id=2, restart_of=2),
        ]
    )


def test_history_lists_the_newest_first_and_shortens_nothing_in_a_pipe(batchrun: Run) -> None:
    lines = batchrun("history").out.splitlines()
    assert lines[0].split() == [
        "ID",
        "JOB",
        "STATUS",
        "EXIT",
        "CODE",
        "STARTED",
        "TIME",
        "READ",
        "WRITTEN",
        "PARAMETERS",
    ]
    assert [line.split()[0] for line in lines[1:]] == ["4", "3", "2", "1"]
    assert "✗ FAILED" in lines[3]
    assert "BAD INPUT" in lines[3]
    assert "336,776  336,000" in lines[4]
    assert lines[4].endswith("input=/data/trades.csv day=2026-07-30 price=12.50 limit=100 ratio=0.25 dry=true "
                             'wait=90 desks=["A", "B"]')  # fmt: skip
    assert not any(line != line.rstrip() or "\t" in line for line in lines)


def ids(result: Result) -> list[int]:
    assert result.code == 0
    return [each["execution_id"] for each in result.document]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--limit", "2"), [4, 3]),
        (("--job", "other"), [3]),
        (("--job", "other", "-j", "load-trades"), [4, 3, 2, 1]),
        (("--job", "o*"), [3]),
        (("--job", "load?trades", "--limit", "1"), [4]),
        (("--job", "x*"), []),
        (("--status", "failed"), [4, 2]),
        (("--status", "failed,started"), [4, 3, 2]),
        (("--status", "FAILED", "-s", "Completed"), [4, 2, 1]),
        (("--since", "2026-07-30"), [4, 3, 2, 1]),
        (("--since", "2026-07-31"), []),
        (("--since", "2026-07-30 05:02:11"), [4, 3, 2, 1]),
        (("--since", "2026-07-30T05:02:12"), []),
        (("--until", "2026-07-30"), [4, 3, 2, 1]),
        (("--until", "2026-07-29"), []),
        (("--parameter", "price=12.50"), [1]),
        (("--parameter", "dry=yes", "-p", "wait=1m30s"), [1]),
        (("--parameter", "desks=A,B"), [1]),
        (("--parameter", "dry=no"), []),
        (("--job", "load-trades", "--status", "failed", "--limit", "1"), [4]),
    ],
)
def test_history_finds_what_its_options_say(batchrun: Run, options: tuple[str, ...], found: list[int]) -> None:
    assert ids(batchrun("history", *options, "-o", "json")) == found


@pytest.mark.parametrize(
    ("options", "found"),
    [((), [4, 3, 2, 1]), (("--status", "failed"), [4, 3, 2]), (("--status", "started"), [])],
)
def test_history_has_a_dead_run_as_failed(
    batchrun: Run, application: ApplicationDouble, options: tuple[str, ...], found: list[int]
) -> None:
    application.dead.add(3)
    result = batchrun("history", *options, "-o", "json")
    assert ids(result) == found
    assert all(each["status"] == "FAILED" for each in result.document if each["execution_id"] == 3)


def test_history_shows_as_many_as_asked_for_where_others_turn_out_to_be_dead(
    batchrun: Run, application: ApplicationDouble
) -> None:
    application.executions = [execution_of(id=number, status=BatchStatus.STARTED) for number in range(1, 9)]
    application.dead |= {8, 7, 5, 4}
    assert ids(batchrun("history", "--status", "started", "--limit", "2", "-o", "json")) == [6, 3]


def test_show_tells_of_a_dead_run_and_how_to_continue_it(batchrun: Run, application: ApplicationDouble) -> None:
    application.dead.add(3)
    shown = batchrun("show", "3").out
    assert shown.startswith("✗ other FAILED")
    assert "was found dead" in shown
    assert shown.endswith("to continue: batchrun restart 3\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--status", "faild"), "error: there is no status 'faild'\nhint: did you mean 'FAILED'?\n"),
        (("--status", "x"), "error: there is no status 'x'\nhint: there are COMPLETED, STARTING, STARTED, STOPPING"),
        (("--since", "soon"), "error: --since 'soon' is no time\nhint: it takes a date, a date and time, a duration"),
        (("--since", "999999999d"), "error: --since '999999999d' is no time\n"),
        (("--until", "2026-02-30"), "error: --until '2026-02-30' is no time\n"),
        (("--parameter", "day"), "error: 'day' is not a parameter: it needs a name, = and a value\n"),
        (("--limit", "3", "--all"), "error: invalid value: --limit and --all exclude each other\n"),
    ],
)
def test_options_that_cannot_be_are_told(batchrun: Run, options: tuple[str, ...], message: str) -> None:
    result = batchrun("history", *options)
    assert result.code == 2
    assert result.err.startswith(message)


def test_history_shows_a_screenful_and_says_how_to_see_more(batchrun: Run, application: ApplicationDouble) -> None:
    application.executions = [execution_of(id=number) for number in range(1, 31)]
    shown = batchrun("history")
    assert len(shown.out.splitlines()) == 21
    assert shown.err == "there are older ones: --limit N shows more, --all shows all\n"
    assert len(batchrun("history", "--limit", "25").out.splitlines()) == 26
    cut = batchrun("history", "-o", "json")
    assert (len(cut.document), cut.err) == (20, shown.err)
    assert batchrun("-q", "history").err == ""
    assert len(batchrun("history", "-o", "json", "--all").document) == 30
    assert len(batchrun("history", "--all").out.splitlines()) == 31


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_history_refuses_a_limit_that_is_no_positive_number(batchrun: Run, limit: str) -> None:
    result = batchrun("history", "--limit", limit)
    assert result.code == 2
    assert result.err.startswith("error: invalid value for '--limit' / '-n': ")


def test_an_empty_history_says_so_and_how_to_start(batchrun: Run, application: ApplicationDouble) -> None:
    application.executions = []
    result = batchrun("history")
    assert (result.code, result.out) == (0, "")
    assert result.err == "no executions in this repository yet\nhint: batchrun launch JOB runs a job\n"
    assert batchrun("history", "-o", "json").document == []


def test_a_history_that_finds_nothing_says_what_is_near(batchrun: Run) -> None:
    result = batchrun("history", "--job", "load-trads", "-j", "o*x", "-s", "failed")
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        "no execution in this repository is like that\n"
        "hint: there is no execution of job 'load-trads'; did you mean 'load-trades'?\n"
    )
    assert batchrun("history", "--since", "1s").err == "no execution in this repository is like that\n"


def test_history_reads_many_page_by_page(batchrun: Run, application: ApplicationDouble) -> None:
    application.executions = [execution_of(id=number) for number in range(1, 1_201)]
    assert ids(batchrun("history", "--all", "-o", "json")) == list(range(1_200, 0, -1))
    assert [call[2] for call in application.calls if call[0] == "find_executions"] == [500, 500, 500]


def test_show_tells_facts_parameters_steps_failure_and_the_way_on(batchrun: Run) -> None:
    assert batchrun("show", "4").out == (
        "✗ load-trades FAILED in 8.1s, execution 4\n"
        "  instance   2\n"
        "  continues  execution 2\n"
        "  job file   /project/jobs.d/load_trades.yaml\n"
        "  created    2026-07-30 05:02:11 +00:00\n"
        "  started    2026-07-30 05:02:11 +00:00\n"
        "  ended      2026-07-30 05:02:19 +00:00\n"
        "  process    4711 on desk\n"
        "\n"
        "steps\n"
        "  STEP  STATUS    TIME  READ  WRITTEN  COMMITS  ROWS/S\n"
        "  load  ✗ FAILED  8.0s    16        0        0     2.0\n"
        "\n"
        "step load failed: trades.csv:17: no integer\n"
        "  DETAIL: abc\n"
        "\n"
        "to continue: batchrun restart 4\n"
    )


def test_show_without_an_id_shows_the_last_one(batchrun: Run, application: ApplicationDouble) -> None:
    assert batchrun("show").out == batchrun("show", "4").out
    application.executions = []
    result = batchrun("show")
    assert (result.code, result.err.splitlines()[0]) == (2, "error: there are no executions in this repository yet")


def test_show_names_the_execution_that_came_after_instead_of_a_restart_that_is_refused(batchrun: Run) -> None:
    shown = batchrun("show", "2").out
    assert "FAILED (BAD INPUT) in 8.1s" in shown
    assert "continued by  execution 4\n" in shown
    assert "to continue" not in shown


def test_show_lists_parameters_in_their_order(batchrun: Run) -> None:
    shown = batchrun("show", "1").out
    parameters = shown.split("parameters\n")[1].split("\n\n")[0].splitlines()
    assert parameters[:2] == ["  input  /data/trades.csv", "  day    2026-07-30"]
    assert len(parameters) == len(PARAMETERS) - 1
    assert "to continue" not in shown


def test_show_of_json_is_one_object(batchrun: Run) -> None:
    document = batchrun("show", "2", "-o", "json").document
    assert (document["execution_id"], document["exit_code"]) == (2, "BAD INPUT")
    assert document["steps"][0]["exit_description"] == "trades.csv:17: no integer\nDETAIL: abc"


def test_an_execution_that_does_not_exist_is_wrong_usage(batchrun: Run) -> None:
    result = batchrun("show", "99")
    assert result.code == 2
    assert result.err == (
        "error: there is no execution 99 in this repository\nhint: batchrun history lists the executions there are\n"
    )


@pytest.mark.parametrize("arguments", [("show", "ID"), ("show", "--", "-ID"), ("history", "--limit", "ID")])
def test_a_number_that_no_repository_takes_is_wrong_usage(batchrun: Run, arguments: tuple[str, ...]) -> None:
    result = batchrun(*(each.replace("ID", str(2**63)) for each in arguments))
    assert result.code == 2
    assert "is not in the range" in result.err


def test_escape_sequences_of_values_do_not_reach_the_terminal(batchrun: Run, application: ApplicationDouble) -> None:
    application.executions = [execution_of(parameters=[JobParameter("note", "a\x1b[31mb\x07\r\nc")])]
    for arguments in (("show", "7"), ("history",)):
        shown = batchrun(*arguments).out
        assert "a\ufffd[31mb\ufffd" in shown
        assert not {"\x1b", "\x07", "\r"} & set(shown)


def test_not_a_number_stays_json(batchrun: Run, application: ApplicationDouble) -> None:
    from batchrun.domain.parameters import ParameterType

    application.executions = [execution_of(parameters=[JobParameter("x", float("inf"), ParameterType.FLOAT)])]
    assert batchrun("show", "7", "-o", "json").document["parameters"] == {"x": "inf"}


def test_show_times_tells_the_phases_of_each_chunk_step_and_what_sets_its_pace(
    batchrun: Run, application: ApplicationDouble
) -> None:
    loading, waiting, tasklet = step_of(read=10), step_of(read=10), step_of()
    loading.times = StepTimes(read=6.04, encode=1, write=3, commit=0.25, wait=2.5)
    waiting.times = StepTimes(read=2, write=3, commit=0.25, wait=0.1)
    application.executions = [execution_of(loading, waiting, tasklet, id=3)]
    lines = batchrun("show", "3", "--times").out.splitlines()
    assert lines[0].split() == ["STEP", "TIME", "READ", "PROCESS", "ENCODE", "WRITE", "COMMIT", "WAIT"]
    assert lines[1].split() == ["load", "8.0s", "6.0s", "1.0s", "3.0s", "250ms", "2.5s"]
    assert lines[2].split() == ["load", "8.0s", "2.0s", "3.0s", "250ms", "100ms"]
    assert lines[4] == "load: its source sets the pace, or the parsing of it; writing waited 2.5s for the next chunk"
    assert lines[6] == "load: its target sets the pace: each index, constraint and trigger there costs"
    assert len(lines) == 7


def test_show_times_names_both_sides_where_they_take_as_long(batchrun: Run, application: ApplicationDouble) -> None:
    step = step_of(read=10)
    step.times = StepTimes(read=2, encode=2.2, write=3, commit=1, wait=0.5)
    application.executions = [execution_of(step, id=3)]
    told = " ".join(batchrun("show", "3", "--times").out.split())
    assert told.endswith(
        "load: the encoding of its chunks and its target set the pace together: making chunks ready takes as long as "
        "writing them"
    )


def test_show_times_says_where_none_are_known(batchrun: Run) -> None:
    assert batchrun("show", "1", "--times").out == "execution 1 has no chunk step whose time is known\n"
