"""Outside the flow: pages in headless Chromium, where there is one: as PDF, and as pictures.

The browser is told what to do through a pipe, in its own DevTools protocol: no driver, no port.
Reports of requests and of errors on the console come back the same way, and a test reads them.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tradegap import publish
from tradegap.errors import DataError, PageError
from tradegap.provenance import hash_file

__all__ = ["PICTURES", "Browser", "Tab", "find_browser", "print_page", "take_pictures"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAPERS = {"a4": (8.27, 11.69), "letter": (8.5, 11.0)}
FLAGS = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--hide-scrollbars",
    "--no-first-run",
    # Nothing of its own accord over the network.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]
# It reads from descriptor 3 and writes to 4, as the flag has it.
LAUNCHER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for number, end in enumerate(ends, start=3):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
PATIENCE_SECONDS = 60
PICTURES = "docs/pictures.json"  # what each picture of the docs shows, and of which version


def find_browser() -> str | None:
    """Return the Chromium of this machine: TRADEGAP_BROWSER, or the first on the path."""
    named = os.environ.get("TRADEGAP_BROWSER")
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)


class Browser:
    """A headless Chromium of its own, without a profile and without a name server."""

    def __init__(self, program: str, profile: Path) -> None:
        """Start it."""
        down, up = os.pipe(), os.pipe()
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-ISc", LAUNCHER, str(down[0]), str(up[1]), program),
                *(*FLAGS, *root, f"--user-data-dir={profile}", "about:blank"),
            ],
            pass_fds=[down[0], up[1]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(down[0])
        os.close(up[1])
        self.write_end, self.read_end = down[1], up[0]
        self.heard = b""
        self.number = 0
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Have something done and return what came of it; keep the events meanwhile."""
        self.number += 1
        asked = {"id": self.number, "method": method, "params": parameters}
        said = json.dumps(asked | ({"sessionId": session} if session else {})).encode() + b"\0"
        try:
            while said:
                said = said[os.write(self.write_end, said) :]
        except OSError:
            raise PageError("the browser ended; try once more") from None
        until = time.monotonic() + PATIENCE_SECONDS
        while (message := self.hear(until - time.monotonic())).get("id") != self.number:
            self.events.append(message)
        if "error" in message:
            raise PageError(f"the browser refused {method}: {message['error'].get('message')}")
        result: dict[str, Any] = message["result"]
        return result

    def hear(self, seconds: float) -> dict[str, Any]:
        """Return the next message."""
        while b"\0" not in self.heard:
            ready, _, _ = select.select([self.read_end], [], [], max(0, seconds))
            more = os.read(self.read_end, 1 << 20) if ready else b""
            if not more:
                raise PageError("the browser does not answer; try once more")
            self.heard += more
        message, _, self.heard = self.heard.partition(b"\0")
        heard: dict[str, Any] = json.loads(message)
        return heard

    def close(self) -> None:
        """End it."""
        with suppress(PageError):
            self.ask("Browser.close")
        os.close(self.write_end)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read_end)


class Tab:
    """One page in the browser, as a reader with these settings sees it."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: int = 1440,
        height: int = 1000,
        dark: bool = False,
        scripts: bool = True,
    ) -> None:
        """Open the page and wait until it is there."""
        self.browser = browser
        self.target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=self.target, flatten=True)[
            "sessionId"
        ]
        self.since = len(browser.events)
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.ask("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.told("Page.loadEventFired"):
            browser.events.append(browser.hear(until - time.monotonic()))

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have something done with this page."""
        return self.browser.ask(method, self.session, **parameters)

    def told(self, *methods: str) -> list[dict[str, Any]]:
        """Return the events of these kinds that this page has told of."""
        events = self.browser.events[self.since :]
        return [
            event["params"]
            for event in events
            if event.get("sessionId") == self.session and event.get("method") in methods
        ]

    def run(self, script: str) -> Any:
        """Return what a script's value is on the page, once it is there where it is a promise."""
        done = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in done:
            raise PageError(f"a script of ours failed: {done['exceptionDetails'].get('text')}")
        return done["result"].get("value")

    def requests(self) -> list[str]:
        """Return what the page has asked for, itself among it."""
        return [each["request"]["url"] for each in self.told("Network.requestWillBeSent")]

    def complaints(self) -> list[str]:
        """Return what stands on the console, refusals by the page's own policy among it."""
        logged = [each["entry"]["text"] for each in self.told("Log.entryAdded")]
        thrown = [each["exceptionDetails"] for each in self.told("Runtime.exceptionThrown")]
        said = self.told("Runtime.consoleAPICalled")
        return [
            *logged,
            *(str(each.get("exception", each).get("description", each)) for each in thrown),
            *(str(each["args"]) for each in said),
        ]

    def picture(self, height: int | None = None, start: str = "") -> bytes:
        """Return the page as a PNG: the whole of it, or so much from an element down."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        top = 0
        if start:
            top = self.run(
                f"document.querySelector({json.dumps(start)})?.getBoundingClientRect().top - 16"
            )
        if top is None:
            raise DataError(f"{PICTURES}: there is no {start!r} on the page; take another start")
        clip = {"x": 0, "y": top, "width": size["width"], "height": height or size["height"]}
        shot = self.ask(
            "Page.captureScreenshot", clip={**clip, "scale": 1}, captureBeyondViewport=True
        )
        return base64.b64decode(shot["data"])

    def pdf(self, paper: str) -> bytes:
        """Return the page as a PDF."""
        width, height = PAPERS[paper]
        printed = self.ask(
            "Page.printToPDF",
            paperWidth=width,
            paperHeight=height,
            printBackground=True,
            generateTaggedPDF=True,
            generateDocumentOutline=True,
            displayHeaderFooter=False,
            marginTop=0.7,
            marginBottom=0.7,
            marginLeft=0.63,
            marginRight=0.63,
            transferMode="ReturnAsBase64",
        )
        return base64.b64decode(printed["data"])

    def close(self) -> None:
        """Leave the page."""
        self.browser.ask("Target.closeTarget", targetId=self.target)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Give a browser, and end it; one line where this machine has none."""
    program = find_browser()
    if program is None or os.name == "nt":
        raise DataError(
            "no Chromium on this machine; install chromium, or name one in TRADEGAP_BROWSER"
        )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, Path(profile))
        try:
            yield browser
        finally:
            browser.close()


def print_page(html: Path, pdf: Path, *, paper: str = "a4") -> None:
    """Write a page as a PDF."""
    with browsing() as browser:
        printed = Tab(browser, html.resolve().as_uri(), scripts=False).pdf(paper)
    publish.replace(pdf, printed)


def take_pictures(root: Path) -> list[str]:
    """Take the pictures of the docs anew; return their names.

    `docs/pictures.json` says of each what page it shows, how wide and high and from which element
    on, and keeps the SHA-256 of the page as it was then: a test tells by it whether it is fresh.
    """
    path = root / PICTURES
    pictures = publish.read_json(path)
    with browsing() as browser:
        for name, shown in pictures.items():
            page = root / shown["page"]
            if not page.is_file():
                raise DataError(f"{PICTURES}: {name} shows {shown['page']}, which is not there")
            tab = Tab(browser, page.resolve().as_uri(), width=shown["width"], scripts=False)
            publish.replace(
                path.parent / name, tab.picture(shown["height"], shown.get("start", ""))
            )
            shown["sha256"] = hash_file(page)
    publish.replace(path, (json.dumps(pictures, indent=1) + "\n").encode())
    return list(pictures)
