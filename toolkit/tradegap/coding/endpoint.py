"""Second stage, outside: one question to a chat endpoint that the user names, one answer back.

Plain urllib: it is one POST, and a client library would cost more than it spares. The answer is as
little trusted as any stranger's: it is read up to a size and within a time, no redirect is followed
(it would take the key along), and what it says of an error is shown cut short and without the key.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tradegap.coding.claims import told
from tradegap.errors import DataError

__all__ = ["Endpoint", "EndpointError", "FormError", "connect"]

LARGEST_ANSWER = 2_000_000  # bytes
BUSY = (429, 500, 502, 503, 504)
NOT_UNDERSTOOD = (400, 415, 422, 501)
LONGEST_WAIT = 60.0  # seconds; a server that asks for more is asked again another day
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class EndpointError(Exception):
    """No answer to one question; `is_final` where the next would fare no better.

    It never leaves the chat coder, which makes a line on its document of it.
    """

    def __init__(self, fault: str, *, is_final: bool = False) -> None:
        """Take what went wrong."""
        super().__init__(fault)
        self.is_final = is_final


class FormError(EndpointError):
    """The server does not take a request in this form; another form may do."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: another host is not the one that the user named."""

    def redirect_request(self, *_: Any) -> None:
        """Return nothing, which leaves the redirect an error."""


@dataclass(frozen=True)
class Endpoint:
    """Where to ask: an address ending in /chat/completions, and how patiently."""

    url: str
    key: str = field(default="", repr=False)
    timeout_seconds: float = 120.0
    waits: tuple[float, ...] = (2.0, 8.0, 30.0)  # seconds before each further try
    sleep: Callable[[float], None] = time.sleep

    @property
    def host(self) -> str:
        """The server, as a message names it; paths and queries may hold keys."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def ask(self, question: dict[str, Any]) -> str:
        """Return the text of the answer. A busy server is asked again, each time after a while."""
        for wait in (*self.waits, None):
            try:
                return read_content(self.post(json.dumps(question).encode()))
            except urllib.error.HTTPError as error:
                with error:
                    if error.code in BUSY and wait is not None:
                        self.sleep(min(max(wait, asked_wait(error)), LONGEST_WAIT))
                        continue
                    raise self.refusal(error) from None
            except TimeoutError:
                pass
            except urllib.error.URLError as error:
                if not isinstance(error.reason, TimeoutError):
                    reason = getattr(error.reason, "strerror", None) or error.reason
                    fault = f"{self.host}: cannot be reached ({reason}); is the server running?"
                    raise EndpointError(fault, is_final=True) from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                fault = f"{self.host}: broke off ({type(error).__name__}); try again"
                raise EndpointError(fault) from None
            fault = f"{self.host}: no answer within {self.timeout_seconds:g} s; try again"
            raise EndpointError(fault)
        raise AssertionError("the last try returns or raises")

    def post(self, body: bytes) -> bytes:
        """Return the body of an answer, read within the time and up to the size."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(self.url, body, headers, method="POST")
        if self.key:
            request.add_unredirected_header("Authorization", f"Bearer {self.key}")
        # A proxy of the environment is for the world outside this machine.
        proxies: dict[str, str] | None = {} if urlsplit(self.url).hostname in LOOPBACK else None
        opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler(proxies))
        latest = time.monotonic() + self.timeout_seconds
        with opener.open(request, timeout=self.timeout_seconds) as answer:
            parts, size = [], 0
            while part := answer.read1(65536):
                parts.append(part)
                size += len(part)
                if size > LARGEST_ANSWER:
                    fault = f"{self.host}: an answer of more than {LARGEST_ANSWER:,} bytes"
                    raise EndpointError(f"{fault}; nothing of it is taken")
                # A server that sends a byte a minute would never run into the socket's time-out.
                if time.monotonic() > latest:
                    raise TimeoutError
        return b"".join(parts)

    def refusal(self, error: urllib.error.HTTPError) -> EndpointError:
        """Return what a status other than 200 means, with the server's own words cut short."""
        try:
            said = error.read(2000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            said = ""
        if self.key:
            said = said.replace(self.key, "…")
        words = json.dumps(" ".join(said.split())[:160])
        fault = f"{self.host}: answered {error.code} {words}"
        if error.code in (401, 403):
            return EndpointError(f"{fault}; check TRADEGAP_CHAT_KEY", is_final=True)
        if error.code in BUSY:
            return EndpointError(f"{fault} {len(self.waits) + 1} times; try again later")
        if error.code in NOT_UNDERSTOOD:
            return FormError(f"{fault}; check --endpoint and --model")
        return EndpointError(f"{fault}; check --endpoint")


def connect(url: str, key: str = "", *, timeout_seconds: float = 120.0) -> Endpoint:
    """Return the endpoint of an address such as https://host/v1; raise DataError for a wrong one.

    >>> connect("http://127.0.0.1:8080/v1").url
    'http://127.0.0.1:8080/v1/chat/completions'
    """
    takes = "it takes an address such as http://127.0.0.1:8080/v1"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        raise DataError(f"--endpoint: found {told(url)}; {takes}") from None
    if parts.username is not None or parts.password is not None:
        raise DataError("--endpoint: holds a name or password; the key goes to TRADEGAP_CHAT_KEY")
    wrong = parts.scheme not in ("http", "https") or not host or not url.isascii()
    if wrong or any(letter <= " " for letter in url):
        raise DataError(f"--endpoint: found {told(url)}; {takes}")
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        raise DataError("TRADEGAP_CHAT_KEY: holds a blank or a letter that no key has; set it anew")
    if key and parts.scheme == "http" and host not in LOOPBACK:
        raise DataError(
            f"--endpoint: http://{host} would get TRADEGAP_CHAT_KEY in the clear; it takes https,"
            " or no key"
        )
    path = parts.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        path += "/chat/completions"
    whole = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    return Endpoint(whole, key, timeout_seconds)


def read_content(raw: bytes) -> str:
    """Return the text of a chat completion.

    >>> read_content(b'{"choices": [{"message": {"content": "Yes."}}]}')
    'Yes.'
    """
    try:
        choice = json.loads(raw)["choices"][0]
        content = choice["message"]["content"]
        is_cut = choice.get("finish_reason") == "length"
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise EndpointError(
            f"found {told(raw[:60].decode('utf-8', 'replace'))}, which is no chat completion;"
            " check --endpoint"
        ) from None
    if is_cut:
        raise EndpointError("the answer was cut off at the model's longest; split the document")
    if not isinstance(content, str):
        raise EndpointError(f"the answer holds no text but {told(content)}; try another --model")
    return content


def asked_wait(error: urllib.error.HTTPError) -> float:
    """Return the seconds that a busy server asks to be left alone; 0 where it does not say."""
    said = error.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0.0
