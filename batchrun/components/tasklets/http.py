"""Tasklet `http`: one HTTP request as a step's body."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

import msgspec

from batchrun.components.files.part_file import PartFile, part_tag
from batchrun.components.stopping import call_or_leave
from batchrun.components.web import Request, Response, exchange
from batchrun.components.web.exchange import SCHEMES
from batchrun.domain.durations import parse_duration
from batchrun.errors import StepStoppedError, TaskletError, first_line
from batchrun.spi.checkpoint import CheckpointStore
from batchrun.spi.scope import ComponentScope
from batchrun.spi.spec import Capabilities, ComponentSpec, Options, OptionsProblem, component, option
from batchrun.spi.tasklet import RepeatStatus, StepContribution

_BLOCK_BYTES = 1 << 18
_COMPLAINT_BYTES = 2000
_COMPLAINT_SHOWN = 200
_GOOD = range(200, 300)
_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "body": "text/plain; charset=utf-8"}


class HttpOptions(Options, kw_only=True):
    """Options of the tasklet `http`."""

    url: Annotated[str, option("Where to; http or https.", examples=["https://api.example.com/reports"])]
    method: (
        Annotated[
            Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            option("What is asked for; left out: POST where there is something to send, else GET."),
        ]
        | None
    ) = None
    headers: Annotated[dict[str, str], option("Headers of the request.", secret=True)] = {}
    body: Annotated[str, option("Text to send.")] | None = None
    json: Annotated[Any, option("Value to send as JSON.")] = None
    form: Annotated[dict[str, str], option("Fields to send as a form.")] | None = None
    expect: Annotated[list[int], option("Statuses that are success; left out: 200 to 299.", examples=[[200, 404]])] = []
    save_to: Annotated[str, option("File that the answer's body goes to.", min_length=1)] | None = None
    output: (
        Annotated[str, option("Key of the step's context that keeps the answer's body, JSON parsed.", min_length=1)]
        | None
    ) = None
    output_limit: Annotated[int, option("How large an answer `output` takes.", unit="bytes", ge=1, advanced=True)] = (
        65536
    )
    timeout: Annotated[str, option("How long the server may be silent.", format="duration")] = "30s"
    redirects: Annotated[int, option("How many redirects are followed.", ge=0, advanced=True)] = 5
    verify: Annotated[bool, option("Checks the server's certificate.", advanced=True)] = True

    @property
    def sent_as(self) -> list[str]:
        """The options that say what to send."""
        return [key for key in _TYPES if getattr(self, key) is not None]

    def check(self) -> list[OptionsProblem]:
        """Checks the URL, and that there is one thing to send and one place to put the answer."""
        problems = []
        if not self.url.lower().startswith(SCHEMES):
            problems.append(OptionsProblem("the URL begins with neither http:// nor https://", ("url",)))
        elif "@" in urlsplit(self.url).netloc:
            problems.append(OptionsProblem("the URL holds a user", ("url",), "send `headers: {Authorization: …}`"))
        if len(self.sent_as) > 1:
            problems.append(OptionsProblem(f"one of {', '.join(self.sent_as)} is enough", (self.sent_as[1],)))
        if self.save_to is not None and self.output is not None:
            problems.append(OptionsProblem("the answer goes to `save_to` or to `output`, not both", ("output",)))
        return problems


SPEC = ComponentSpec(
    role="tasklet",
    name="http",
    summary="Sends an HTTP request.",
    options=HttpOptions,
    example="""
type: http
url: https://api.example.com/reports
headers: {Authorization: "Bearer ${secrets.REPORTS_TOKEN:-none}"}
json: {execution: "${execution.id}"}
output: report
""",
    capabilities=Capabilities(restartable=True),
    description=(
        "A status that is not expected fails the step and shows the first line of the answer. A file of `save_to` gets "
        "its name at once, when all has come. An answer of type JSON is parsed for `output`, any other is kept as "
        "text. Redirects are followed as a browser does; to another origin, only harmless headers go along. The "
        "variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY are heeded. A stop gives the request up. A request whose "
        "answer did not come is sent again by a restart: at least once."
    ),
)


@component(SPEC)
class HttpTasklet:
    """Sends one request."""

    def __init__(self, options: HttpOptions, scope: ComponentScope) -> None:
        self._options = options
        self._scope = scope
        self._request = _request(options)
        self._what = f"{self._request.method} {options.url}"

    def open(self) -> CheckpointStore | None:
        """Has no transaction."""
        return None

    def execute(self, contribution: StepContribution) -> RepeatStatus | None:
        """Sends the request and puts the answer where it belongs.

        Raises:
            TaskletError: there is no answer, or not the expected one.
            OutputError: the file cannot be written.
            StepStoppedError: the execution was asked to stop meanwhile.
        """
        publish = call_or_leave(self._answer, self._scope.should_stop)
        publish(contribution)
        return RepeatStatus.FINISHED

    def close(self) -> None:
        """Has nothing to give back: a connection is closed where it was opened."""

    def _answer(self, is_left: Callable[[], bool]) -> Callable[[StepContribution], None]:
        """Gets the answer; returns what makes it count, for the step's own thread to call."""
        response = exchange(self._request)
        try:
            self._scope.log.info("%s: %s %s", self._what, response.status, response.reason)
            if response.status not in (self._options.expect or _GOOD):
                raise TaskletError(f"{self._what} was answered with {_complaint(response)}")
            if self._options.save_to is not None:
                return self._saved(self._options.save_to, response, is_left)
            if self._options.output is not None:
                return self._kept(self._options.output, response)
            return lambda _contribution: None
        finally:
            response.close()

    def _saved(self, name: str, response: Response, is_left: Callable[[], bool]) -> Callable[[StepContribution], None]:
        path = self._scope.path(name)
        part = PartFile(path, name, part_tag(self._scope))
        try:
            part.begin()
            while (block := response.read(_BLOCK_BYTES)) and not is_left():
                part.write(block)
            if is_left():
                raise StepStoppedError(f"{name} was not finished because of the stop")
        except BaseException:
            part.close()
            raise

        def publish(contribution: StepContribution) -> None:
            try:
                part.publish()
            finally:
                part.close()
            contribution.counts.write += 1

        return publish

    def _kept(self, key: str, response: Response) -> Callable[[StepContribution], None]:
        limit = self._options.output_limit
        body = b""
        while len(body) <= limit and (block := response.read(_BLOCK_BYTES)):
            body += block
        if len(body) > limit:
            raise TaskletError(
                f"{self._what} was answered with more than {limit} bytes, which `output` does not take",
                hint="save it with `save_to`, or raise `output_limit`",
            )
        value = self._value(body, response)

        def keep(contribution: StepContribution) -> None:
            contribution.context[key] = value

        return keep

    def _value(self, body: bytes, response: Response) -> Any:
        try:
            return json.loads(body) if "json" in response.content_type else body.decode(response.charset)
        except (ValueError, LookupError) as error:
            kind = response.content_type or "text"
            raise TaskletError(f"{self._what} was answered with what is no {kind}: {first_line(error)}") from error


def _request(options: HttpOptions) -> Request:
    sent_as = next(iter(options.sent_as), None)
    headers = {"User-Agent": "batchrun", **options.headers}
    if sent_as is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = _TYPES[sent_as]
    return Request(
        method=options.method or ("GET" if sent_as is None else "POST"),
        url=options.url,
        headers=headers,
        body=None if sent_as is None else _body(options, sent_as),
        timeout=parse_duration(options.timeout).total_seconds(),
        redirects=options.redirects,
        verify=options.verify,
    )


def _body(options: HttpOptions, sent_as: str) -> bytes:
    if sent_as == "json":
        return msgspec.json.encode(options.json)
    return (urlencode(options.form or {}) if sent_as == "form" else options.body or "").encode()


def _complaint(response: Response) -> str:
    """Returns the status, with what the server says about it."""
    text = response.read(_COMPLAINT_BYTES).decode(errors="replace")
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")[:_COMPLAINT_SHOWN]
    return f"{response.status} {response.reason}{f': {line}' if line else ''}".rstrip()
