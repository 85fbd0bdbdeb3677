"""Last stage: page specs in, published pages out; each page in a process of its own.

This module decides which pages are due, sees to it that each is made in time, and puts in place
what is whole. A page that fails leaves the last good one where it is; the others are built.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, cast

from tradegap import provenance, publish
from tradegap.errors import PageError
from tradegap.kept import STORE, prepare_store
from tradegap.specs import Spec, check_specs
from tradegap.workers import KERNEL_START_SECONDS, Job, Made, Workers, environment_of, hire

__all__ = ["Result", "State", "build_pages", "explain_page", "judge_pages"]


@dataclass(frozen=True)
class Result:
    """What became of one page: `built`, `current` (nothing to do), `failed` or `skipped`.

    While it is made it is `running`, and the reason is the cell that it is at.
    """

    page: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class State:
    """How a page stands: `current`, `stale`, `failed` or `never built`; why, a line a thing."""

    page: str
    status: str
    changes: tuple[str, ...] = ()
    since: str = ""
    reason: str = ""


@dataclass
class Running:
    """A page that is being made: its process, the cell that it is at, and until when it may go."""

    spec: Spec
    number: int
    deadline: float
    cell: str = ""


Report = Callable[[Result], None]


def judge_pages(
    specs: Sequence[Spec], *, root: Path, out: Path | None = None, build: Path | None = None
) -> list[State]:
    """Return how each page stands, by what it is made of now and what it was made of.

    What it was made of stands beside it in reports/, so that a fresh clone can tell.
    """
    out, build = out or root / "reports", build or root / "build"
    shared = provenance.list_shared(root)
    seen: dict[str, provenance.Input] = {}
    states = []
    for spec in specs:
        record = publish.read_json(out / f"{spec.page}.json")
        failure = publish.read_json(build / "records" / f"{spec.page}.json")
        folder = (out / spec.page).parent
        makings = provenance.list_makings(spec, root, shared)
        changes = provenance.find_changes(record, makings, root=root, folder=folder, seen=seen)
        is_there = (out / f"{spec.page}.html").is_file()
        if is_there and not record:
            changes = [f"reports/{spec.page}.json: not there, so nothing tells what it was made of"]
        status = "stale" if is_there else "never built"
        if record and not changes:
            states.append(State(spec.page, "current"))
        elif failure:
            since, reason = (str(failure.get(key, "")) for key in ("since", "reason"))
            states.append(State(spec.page, "failed", tuple(changes), since, reason))
        else:
            states.append(State(spec.page, status, tuple(changes)))
    return states


def explain_page(
    spec: Spec, *, root: Path, out: Path | None = None, build: Path | None = None
) -> list[str]:
    """Return why a page would be built anew, or would not: a verdict, then a line a file."""
    out, build = out or root / "reports", build or root / "build"
    (state,) = judge_pages([spec], root=root, out=out, build=build)
    record = publish.read_json(out / f"{spec.page}.json")
    if state.status == "current":
        count = len(record["read"]) + len(record["made_of"])
        return [f"{spec.page}: current; all {count} things that it was made of are as they were"]
    verdict = f"{spec.page}: {state.status}; it would be built"
    if state.status == "failed":
        verdict = f"{spec.page}: failed since {state.since}, {state.reason}; it would be built"
    lines = []
    for change in state.changes:
        files = []
        if change == "toolkit/tradegap: changed":
            kept = build / "packages" / f"{record['made_of']['toolkit/tradegap']}.json"
            was, now = publish.read_json(kept), provenance.hash_package()
            names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
            files = [f"toolkit/tradegap/{name}: changed" for name in names if was]
        lines += files or [change]
    return [verdict, *(f"  {line}" for line in lines)]


def build_pages(
    specs: Sequence[Spec],
    *,
    root: Path,
    out: Path | None = None,
    build: Path | None = None,
    force: bool = False,
    fail_fast: bool = False,
    jobs: int | None = None,
    engine: str | None = None,
    timeout_seconds: int | None = None,
    workers: Workers | None = None,
    report: Report = lambda result: None,
) -> list[Result]:
    """Return one result per page, in the order of the specs; write those that are not current.

    Pages go to `out` (reports/), runs, logs and records to `build` (build/). Nothing starts when a
    spec is at fault, or while another build holds `build`. `report` hears of each page as it
    starts, comes to a cell, and is done. `engine` is `fork` or `kernel`; `workers`, where given,
    make the pages in place of those that it stands for.
    """
    out, build = out or root / "reports", build or root / "build"
    with publish.hold(build):
        publish.recover(out)
        states = judge_pages(specs, root=root, out=out, build=build)
        due = [
            spec
            for spec, state in zip(specs, states, strict=True)
            if force or state.status != "current"
        ]
        if timeout_seconds:
            due = [replace(spec, timeout_seconds=timeout_seconds) for spec in due]
        pages = {spec.page for spec in due}
        done = {spec.page: Result(spec.page, "current") for spec in specs if spec.page not in pages}
        for result in done.values():
            note_failure(result, build=build)
            report(result)
        if due:
            builder = Builder(root, out, build, engine or default_engine(), report)
            made = builder.run(due, jobs or count_cores(), fail_fast, workers)
            done |= {each.page: each for each in made}
    return [done[spec.page] for spec in specs]


def default_engine() -> str:
    """Return the engine to use here: our own where a process can safely be forked."""
    return "fork" if sys.platform.startswith("linux") else "kernel"


def count_cores() -> int:
    """Return on how many processors this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class Builder:
    """One build: where it reads and writes, and the pages that are being made."""

    root: Path
    out: Path
    build: Path
    engine: str
    report: Report
    running: dict[Connection, Running] = field(default_factory=dict)

    def run(
        self, due: Sequence[Spec], jobs: int, fail_fast: bool, workers: Workers | None = None
    ) -> list[Result]:
        """Return one result per page that is due."""
        results = []
        with suppress(OSError):
            prepare_store(Path(environment_of(self.build)[STORE]))
        workers = workers or hire(self.engine, build=self.build)
        try:
            # While the warm parent imports what the pages need.
            check_specs(due)
            for page, made in self.make(due, workers, jobs):
                result = self.settle(page.spec, made)
                note_failure(result, build=self.build)
                self.report(result)
                results.append(result)
                if fail_fast and result.status == "failed":
                    break
        except KeyboardInterrupt:
            for each in self.running.values():
                result = Result(each.spec.page, "failed", at(each, "interrupted"))
                note_failure(result, build=self.build)
                self.report(result)
            raise
        finally:
            workers.close()
        done = {result.page for result in results}
        for spec in due:
            if spec.page not in done:
                results.append(Result(spec.page, "skipped", "another page failed first"))
        return results

    def make(
        self, due: Sequence[Spec], workers: Workers, jobs: int
    ) -> Iterator[tuple[Running, Made]]:
        """Yield each page as it is done, with what came of it."""
        waiting = list(due)
        while waiting or self.running:
            while waiting and len(self.running) < jobs:
                spec = waiting.pop(0)
                number, answer = workers.start(Job(spec, self.root, self.build, self.engine))
                # The page's own time begins with its first cell.
                until = time.monotonic() + KERNEL_START_SECONDS + spec.timeout_seconds
                self.running[answer] = Running(spec, number, until)
                self.report(Result(spec.page, "running"))
            soonest = min(each.deadline for each in self.running.values())
            for ready in wait(list(self.running), max(0, soonest - time.monotonic())):
                answer = cast(Connection, ready)
                if made := self.hear(answer, workers):
                    page = self.running.pop(answer)
                    answer.close()
                    yield page, made
            for answer, page in list(self.running.items()):
                if page.deadline <= time.monotonic():
                    workers.kill(page.number)
                    del self.running[answer]
                    answer.close()
                    seconds = f"took longer than {page.spec.timeout_seconds} s"
                    yield page, Made(reason=at(page, seconds))

    def hear(self, answer: Connection, workers: Workers) -> Made | None:
        """Take what a page says: the cell that it is at, or in the end what came of it."""
        page = self.running[answer]
        try:
            said: Made | str = answer.recv()
        except (EOFError, OSError):
            code = workers.wait(page.number)
            how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
            return Made(reason=at(page, f"its process {how}"))
        if isinstance(said, Made):
            return said
        if not page.cell:
            page.deadline = time.monotonic() + page.spec.timeout_seconds
        page.cell = said
        self.report(Result(page.spec.page, "running", said))
        return None

    def settle(self, spec: Spec, made: Made) -> Result:
        """Put in place what a page has become, if it is good, and return the result."""
        try:
            if not made.reason:
                self.put(spec, made)
                return Result(spec.page, "built")
            reason = made.reason
        except PageError as error:
            reason = str(error)
        except OSError as error:
            where = Path(error.filename or self.out).name
            reason = f"{where}: cannot be written ({error.strerror})"
        with suppress(OSError), (self.build / "logs" / f"{spec.page}.log").open("a") as log:
            log.write(f"\n{spec.page}: {reason}\n")
        return Result(spec.page, "failed", reason)

    def put(self, spec: Spec, made: Made) -> None:
        """Put a page, its figures and its provenance in place; refuse what changed meanwhile."""
        shared = provenance.list_shared(self.root)
        folder, name = (self.out / spec.page).parent, Path(spec.page).name
        record: dict[str, Any] = {
            "made_of": provenance.list_makings(spec, self.root, shared),
            "read": made.read,
            "outputs": {
                f"{name}{suffix}": provenance.hash_bytes(content)
                for suffix, content in sorted(made.outputs.items())
            },
            "reading": made.reading,
        }
        as_read = {**record, "outputs": {}}
        changes = provenance.find_changes(
            as_read, record["made_of"], root=self.root, folder=folder, seen={}
        )
        if provenance.read_package() != provenance.hash_package():
            changes.append("toolkit/tradegap: changed")
        if changes:
            raise PageError(f"{changes[0]} while the page was made; build it again")
        self.keep_package(shared["toolkit/tradegap"])
        told = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        publish.publish(folder, name, made.outputs, told.encode())

    def keep_package(self, name: str | None) -> None:
        """Keep the hashes of the package's files, so that `explain` can name one that changed."""
        path = self.build / "packages" / f"{name}.json"
        if not path.is_file():
            publish.replace(path, json.dumps(provenance.hash_package()).encode())


def at(page: Running, what: str) -> str:
    """Return what befell a page, with the cell that it was at.

    >>> at(Running(Spec("a/b", Path("a.ipynb"), "A", "?"), 1, 0), "interrupted")
    'before its first cell: interrupted'
    """
    return f"{page.cell or 'before its first cell'}: {what}"


def note_failure(result: Result, *, build: Path) -> None:
    """Write down since when and why a page fails, or that it no longer does."""
    path = build / "records" / f"{result.page}.json"
    if result.status == "failed":
        today = datetime.now(tz=UTC).date().isoformat()
        since = publish.read_json(path).get("since", today)
        # On a full disk the page's last good version is still marked by its provenance.
        with suppress(OSError):
            content = {"since": since, "reason": result.reason}
            publish.replace(path, json.dumps(content, ensure_ascii=False).encode())
    elif path.is_file():
        path.unlink()
