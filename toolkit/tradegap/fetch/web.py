"""Outside the flow: one GET from a service that publishes, patient and suspicious.

Plain urllib, as for the chat endpoint, whose patience and refusal of redirects are taken over:
these are single GETs of documented addresses, and a client library would cost more than it spares.
A key travels in a header or a query, and is in no message.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tradegap.coding.endpoint import BUSY, LONGEST_WAIT, LOOPBACK, NoRedirect, asked_wait
from tradegap.errors import FetchError

__all__ = ["Service", "as_json", "connect"]

LARGEST = 30_000_000  # bytes of an answer


@dataclass(frozen=True)
class Service:
    """A service to ask: its address, and the key, if it takes one and there is one."""

    base: str
    key: str = field(default="", repr=False)
    key_variable: str = ""
    timeout_seconds: float = 60.0
    waits: tuple[float, ...] = (2.0, 8.0, 30.0)  # seconds before each further try
    sleep: Callable[[float], None] = time.sleep

    @property
    def host(self) -> str:
        """The server, as a message names it."""
        return urlsplit(self.base).netloc

    def get(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the body of an answer. A busy server is asked again, each time after a while.

        Raises FetchError in one line that says what came of it.
        """
        url = self.base.rstrip("/") + path
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        for wait in (*self.waits, None):
            try:
                return self.read(url, headers or {})
            except urllib.error.HTTPError as error:
                with error:
                    if error.code in BUSY and wait is not None:
                        self.sleep(min(max(wait, asked_wait(error)), LONGEST_WAIT))
                        continue
                    raise self.refusal(error) from None
            except TimeoutError:
                reason = f"no answer within {self.timeout_seconds:g} s; try again later"
            except urllib.error.URLError as error:
                if isinstance(error.reason, TimeoutError):
                    reason = f"no answer within {self.timeout_seconds:g} s; try again later"
                else:
                    why = getattr(error.reason, "strerror", None) or error.reason
                    reason = f"cannot be reached ({why}); is there a network?"
            except (OSError, http.client.HTTPException) as error:
                reason = f"broke off ({type(error).__name__}); try again"
            raise FetchError(f"{self.host}: {reason}")
        raise AssertionError("the last try returns or raises")

    def read(self, url: str, headers: Mapping[str, str]) -> bytes:
        """Return the body of one answer, read within the time and up to the size."""
        request = urllib.request.Request(url)
        for name, value in {"User-Agent": "tradegap", "Accept": "*/*", **headers}.items():
            request.add_unredirected_header(name, value)
        # A proxy of the environment is for the world outside this machine.
        proxies: dict[str, str] | None = {} if urlsplit(url).hostname in LOOPBACK else None
        opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler(proxies))
        latest = time.monotonic() + self.timeout_seconds
        with opener.open(request, timeout=self.timeout_seconds) as answer:
            if answer.status == 204:
                raise FetchError(f"{self.host}: has nothing for what was asked; check the months")
            announced = answer.headers.get("Content-Length", "")
            parts, size = [], 0
            while part := answer.read1(65536):
                parts.append(part)
                size += len(part)
                if size > LARGEST:
                    raise FetchError(
                        f"{self.host}: an answer of more than {LARGEST:,} bytes; ask for less"
                    )
                if time.monotonic() > latest:
                    raise TimeoutError
        if announced.isdigit() and size != int(announced):
            raise FetchError(
                f"{self.host}: the answer was cut off at {size:,} of {int(announced):,} bytes;"
                " try again"
            )
        return b"".join(parts)

    def refusal(self, error: urllib.error.HTTPError) -> FetchError:
        """Return what a status other than 200 means, with the server's own words cut short."""
        try:
            said = error.read(2000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            said = ""
        fault = f"{self.host}: answered {error.code} {self.cut(said)}"
        if error.code in BUSY:
            asked = asked_wait(error)
            when = f"in {asked:g} s" if asked else "later"
            return FetchError(f"{fault} {len(self.waits) + 1} times; try again {when}")
        if error.code in (401, 403) or (300 <= error.code < 400 and self.key_variable):
            word = "set" if not self.key else "check"
            if self.key_variable:
                return FetchError(f"{fault}; {word} the key in {self.key_variable}")
        if 300 <= error.code < 400:
            return FetchError(f"{fault}, which sends elsewhere; give the new --base-url")
        return FetchError(f"{fault}; what was asked is no longer taken in this form, or never was")

    def cut(self, said: str) -> str:
        """Return the beginning of what a server said, in quotes and without the key."""
        if self.key:
            said = said.replace(self.key, "…").replace(quote(self.key, safe=""), "…")
        return json.dumps(" ".join(said.split())[:160], ensure_ascii=False)


def connect(base: str, key_variable: str = "", **options: Any) -> Service:
    """Return the service at an address, with the key of the environment.

    >>> connect("http://127.0.0.1:9/data").host
    '127.0.0.1:9'
    """
    takes = "it takes an address such as https://host/path"
    try:
        parts = urlsplit(base)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise FetchError(f"--base-url: found {base!r}; {takes}") from None
    if parts.username is not None or parts.password is not None:
        raise FetchError("--base-url: holds a name or password; a key goes into the environment")
    wrong = parts.scheme not in ("http", "https") or not host or not base.isascii()
    if wrong or parts.query or any(letter <= " " for letter in base):
        raise FetchError(f"--base-url: found {base!r}; {takes}")
    key = os.environ.get(key_variable, "") if key_variable else ""
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        raise FetchError(f"{key_variable}: holds a blank or a letter that no key has; set it anew")
    if key and parts.scheme == "http" and host not in LOOPBACK:
        raise FetchError(
            f"--base-url: http://{host} would get {key_variable} in the clear; it takes https"
        )
    return Service(base, key, key_variable, **options)


def as_json(raw: bytes, service: Service) -> Any:
    """Return an answer that is JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        said = service.cut(raw[:400].decode("utf-8", "replace"))
        raise FetchError(
            f"{service.host}: found {said}, which is no whole JSON; try again"
        ) from None
