"""Around the build: what is seen while it runs. One line on a terminal, else a line a page."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from tradegap.build import Result

__all__ = ["Progress"]


@dataclass
class Progress:
    """Tells of pages as they are done, and on a terminal of those that are being made."""

    total: int
    log: str
    is_quiet: bool = False
    is_terminal: bool = False
    clock: Callable[[], float] = time.monotonic
    running: dict[str, tuple[float, str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def report(self, result: Result) -> None:
        """Take what is new of a page."""
        if result.status == "running":
            began, _ = self.running.get(result.page, (self.clock(), ""))
            self.running[result.page] = began, result.reason
        else:
            began, _ = self.running.pop(result.page, (self.clock(), ""))
            self.counts[result.status] = self.counts.get(result.status, 0) + 1
            if result.status == "built":
                self.seconds.append(self.clock() - began)
            self.tell(result)
        self.draw()

    def tell(self, result: Result) -> None:
        """Print what a page has become, where it is news; a failure always is."""
        if result.status == "failed":
            self.clear()
            click.echo(f"failed  {result.page}: {result.reason}", err=True)
            log = f"{self.log}/{result.page}.log"
            click.echo(f"        what was published stays; see {log}", err=True)
        elif result.status == "built" and not self.is_quiet:
            self.clear()
            click.echo(f"built   {result.page}")

    def line(self) -> str:
        """Return how far the build is.

        >>> Progress(20, "logs", counts={"built": 4, "failed": 1}, seconds=[2.0]).line()
        '5 of 20 done, 1 failed, 0 running, about 30 s left'
        """
        done, failed = sum(self.counts.values()), self.counts.get("failed", 0)
        words = [f"{done} of {self.total} done"]
        words += [f"{failed} failed"] * bool(failed) + [f"{len(self.running)} running"]
        if self.seconds:
            left = sum(self.seconds) / len(self.seconds) * (self.total - done)
            left /= len(self.running) or 1
            words.append(f"about {left:.0f} s left")
        now = max(self.running.items(), key=lambda each: each[1][0], default=("", (0.0, "")))
        return ", ".join(words) + (f": {now[0]}, {now[1][1] or 'starting'}" if now[0] else "")

    def draw(self) -> None:
        """Show how far the build is, on a terminal."""
        if self.is_terminal and not self.is_quiet:
            width = shutil.get_terminal_size().columns - 1
            line = self.line() if self.running else ""
            click.echo(f"\r\x1b[K{line[:width]}", nl=False, err=True)

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self.is_terminal and not self.is_quiet:
            click.echo("\r\x1b[K", nl=False, err=True)

    def close(self) -> None:
        """Take the line off the terminal, and say in one what became of all pages."""
        self.clear()
        if not self.is_quiet:
            counts = {"built": 0, "current": 0, "failed": 0, **self.counts}
            told = ", ".join(f"{count} {status}" for status, count in counts.items())
            click.echo(f"{told}; see reports/index.html")
