"""One HTTP exchange by the standard library: proxies of the environment, redirects, TLS; nothing is retried."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from batchrun.errors import TaskletError

SCHEMES = ("http://", "https://")
_HARMLESS = ("accept", "accept-language", "content-type", "user-agent")
_REDIRECTING = (301, 302, 303, 307, 308)
_KEEPING = (307, 308)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        body: None sends none.
        timeout: seconds that may pass without a byte.
        redirects: how many are followed.
        verify: the server's certificate is checked.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 30.0
    redirects: int = 5
    verify: bool = True


class Response:
    """What is answered; its body is read piece by piece.

    Attributes:
        status: the number.
        reason: the number in words.
        url: where the answer came from, after redirects.
        content_type: of the body, in lower case; empty where the server does not say.
        charset: of a body that is text.
    """

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.status: int = answer.status
        self.reason: str = answer.reason or http.client.responses.get(answer.status, "")
        self.url: str = answer.url
        self.content_type: str = (answer.headers.get("content-type") or "").lower()
        self.charset: str = answer.headers.get_content_charset("utf-8")

    def read(self, size: int) -> bytes:
        """Returns up to `size` bytes, none at the end.

        Raises:
            TaskletError: the connection is lost before the end.
        """
        try:
            piece: bytes = self._answer.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise TaskletError(f"{self.url}: the answer breaks off: {_words(error)}") from error
        if not piece and getattr(self._answer, "length", None):  # read(size) does not tell a short body by itself
            raise TaskletError(f"{self.url}: the answer breaks off: {self._answer.length} bytes are missing")
        return piece

    def close(self) -> None:
        """Gives up what has not been read."""
        self._answer.close()


def exchange(request: Request) -> Response:
    """Sends a request, follows redirects, and returns the answer, whatever its status.

    Raises:
        TaskletError: there is no answer; says why.
    """
    opener = urllib.request.build_opener(_AnyStatus(), urllib.request.HTTPSHandler(context=_tls(request.verify)))
    for _ in range(request.redirects):
        answer, location = _ask(opener, request)
        if location is None:
            return Response(answer)
        answer.close()
        request = _redirected(request, answer.status, location)
    answer, location = _ask(opener, request)
    if location is not None:
        answer.close()
        raise _not_followed(request, location)
    return Response(answer)


def _ask(opener: urllib.request.OpenerDirector, request: Request) -> tuple[Any, str | None]:
    """Returns the answer, and where it redirects to."""
    asked = urllib.request.Request(request.url, request.body, dict(request.headers), method=request.method)
    try:
        answer = opener.open(asked, timeout=request.timeout)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None)
        cause = reason if isinstance(reason, BaseException) else error
        raise TaskletError(f"{request.method} {request.url}: {_words(cause)}", hint=_hint(cause)) from error
    return answer, answer.headers.get("location") if answer.status in _REDIRECTING else None


def _redirected(request: Request, status: int, location: str) -> Request:
    """Returns what a browser asks next; to another origin, no header goes along that could be a credential."""
    url = urljoin(request.url, location)
    if not url.lower().startswith(SCHEMES):
        raise _not_followed(request, url)
    is_same = _origin(url) == _origin(request.url)
    headers = {name: value for name, value in request.headers.items() if is_same or name.lower() in _HARMLESS}
    if status in _KEEPING:
        return replace(request, url=url, headers=headers)
    headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    return replace(request, method="HEAD" if request.method == "HEAD" else "GET", url=url, headers=headers, body=None)


def _not_followed(request: Request, url: str) -> TaskletError:
    return TaskletError(
        f"{request.method} {request.url} redirects to {url}, which is not followed",
        hint="`redirects` says how many are followed",
    )


def _tls(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Takes an answer of any status as an answer."""

    def http_response(self, request: Any, response: Any) -> Any:
        del request
        return response

    https_response = http_response


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _words(error: BaseException) -> str:
    """Returns what a network error says, in one line."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{text[:1].lower()}{text[1:]}"


def _hint(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "SSL_CERT_FILE names the certificates to trust; `verify: false` trusts any"
    return None
