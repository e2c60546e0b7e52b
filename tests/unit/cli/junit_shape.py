"""What Jenkins and GitLab take for JUnit XML, as a check: elements, what may stand in each, and their attributes."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

_CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out", "system-err"},
    "properties": {"property"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
}
_REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors"},
    "testcase": {"name"},
    "property": {"name", "value"},
}
_OPTIONAL = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"time", "skipped", "timestamp", "hostname", "id", "package"},
    "testcase": {"time", "classname"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message", "type"},
}


def parsed(text: str) -> Element:
    """Returns the document's root, checked."""
    root = fromstring(text)
    assert root.tag == "testsuites"
    _check(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{tag}"))
    return root


def _check(element: Element) -> None:
    given, required = set(element.keys()), _REQUIRED.get(element.tag, set())
    assert required <= given <= required | _OPTIONAL.get(element.tag, set()), (element.tag, given)
    for child in element:
        assert child.tag in _CHILDREN.get(element.tag, set()), (element.tag, child.tag)
        _check(child)
