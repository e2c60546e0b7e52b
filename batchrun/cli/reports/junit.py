"""A report as JUnit XML, as Jenkins and GitLab read it: a test suite, and a test case for each case."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

from batchrun.cli.reports.report import Case, Report, Verdict

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold, not even escaped (XML 1.0, section 2.2)."""

_REASONS = {Verdict.FAILED: "failure", Verdict.ERROR: "error", Verdict.SKIPPED: "skipped"}
_Element = ElementTree.Element


def junit_text(report: Report) -> str:
    """Returns the XML document with a final line end; ASCII, so that no stream can spoil it."""
    totals = {
        "tests": len(report.cases),
        "failures": report.count(Verdict.FAILED),
        "errors": report.count(Verdict.ERROR),
    }
    root = _element("testsuites", name="batchrun", **totals, time=_seconds(report.seconds))
    suite = _suite(report, **totals)
    root.append(suite)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="us-ascii").decode()}\n'


def _suite(report: Report, **totals: object) -> _Element:
    suite = _element(
        "testsuite",
        name=report.name,
        **totals,
        skipped=report.count(Verdict.SKIPPED),
        time=_seconds(report.seconds),
        timestamp=_moment(report.started_at),
        hostname=report.host,
    )
    properties = _element("properties")
    properties.extend(_element("property", name=name, value=value) for name, value in report.properties.items())
    suite.append(properties)
    suite.extend(_case(case, report.name) for case in report.cases)
    return suite


def _case(case: Case, group: str) -> _Element:
    element = _element("testcase", classname=group, name=case.name, time=_seconds(case.seconds))
    if reason := _REASONS.get(case.verdict):
        told = _element(reason, message=case.message.partition("\n")[0], type=case.kind)
        if case.verdict.is_bad:
            told.text = _allowed("\n".join(filter(None, (_place(case), case.explanation))))
        element.append(told)
    facts = [f"{name}: {value}" for name, value in case.facts.items()]
    warning = [f"warning: {case.message}"] if case.message and case.verdict is Verdict.PASSED else []
    if facts or warning:
        output = _element("system-out")
        output.text = _allowed("\n".join([*facts, *warning]))
        element.append(output)
    return element


def _place(case: Case) -> str:
    return ":".join(str(part) for part in (case.file, case.line, case.column) if part)


def _element(tag: str, **attributes: object) -> _Element:
    return ElementTree.Element(tag, {name: _allowed(str(value)) for name, value in attributes.items()})


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _moment(moment: datetime | None) -> str:
    """Returns a time in UTC without a zone, as the schemas of JUnit want it; now, where there is none."""
    return f"{(moment or datetime.now(UTC)).astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
