"""Beside the build: pages and documents on a Dask cluster, whose workers may stand anywhere.

    builder ── scheduler ── worker ── warm parent ── page

A worker has this package as it is here; pages take their data from the project that it sees (at
TRADEGAP_ROOT, else at the same path), and are published here, if what they read is what lies here.
What a lost worker was doing, Dask gives to another.
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import multiprocessing
import os
import re
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradegap.build import Builder
from tradegap.errors import TradegapError
from tradegap.provenance import hash_package, hash_text
from tradegap.workers import ForkedWorkers, Job, Made

if TYPE_CHECKING:
    import pandas as pd

    from tradegap.documents import Document

__all__ = ["ClusterWorkers", "Coded", "code_documents", "join"]

ANSWER_SECONDS = 20
DOCUMENTS_AT_ONCE, CHARACTERS_AT_ONCE = 25, 200_000


@contextmanager
def join(address: str) -> Iterator[Any]:
    """Give a client of the cluster at an address; raise TradegapError where there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise TradegapError("--dask: Dask is not installed; pip install tradegap[dask]") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = f"no scheduler answers there ({type(error).__name__})"
        raise TradegapError(f"--dask {address}: {reason}; start one: dask scheduler") from None
    try:
        try:
            client.wait_for_workers(1, timeout=ANSWER_SECONDS)
        except TimeoutError:
            reason = f"it has no workers; start some: dask worker {address}"
            raise TradegapError(f"--dask {address}: {reason}") from None
        yield client
    finally:
        client.close(timeout=ANSWER_SECONDS)


def describe() -> dict[str, str]:
    """Return what makes the same bytes here and there: the package, and what it stands on."""
    told = {"tradegap": hash_text(repr(sorted(hash_package().items())))[:12]}
    with suppress(importlib.metadata.PackageNotFoundError):
        for each in importlib.metadata.requires("tradegap") or []:
            name, *_ = re.split(r"[^\w.-]", each)
            if "extra ==" not in each:
                told[name] = importlib.metadata.version(name)
    return told


def differs(there: dict[str, str]) -> str:
    """Return in what this process differs from one that describes itself; nothing for in nothing.

    >>> differs(describe()), differs({"pandas": "2"})[:24]
    ('', 'its worker has pandas 3.')
    """
    here = describe()
    found = [f"{name} {here.get(name)} (asked for: {value})" for name, value in there.items()
             if here.get(name) != value]  # fmt: skip
    return f"its worker has {', '.join(found)}" if found else ""


@dataclass
class ClusterWorkers:
    """Pages made by a cluster's workers, which keep their time, too."""

    client: Any
    count: int = 0
    futures: dict[int, Any] = field(default_factory=dict)

    def size(self) -> int:
        """Return how many pages the cluster can make at a time."""
        threads: dict[str, int] = self.client.nthreads()
        return max(1, sum(threads.values()))

    def start(self, job: Job) -> tuple[int, Connection]:
        """Give a page to the cluster."""
        self.count += 1
        ours, theirs = multiprocessing.Pipe(duplex=False)
        future = self.client.submit(make_there, job, describe(), pure=False)
        future.add_done_callback(functools.partial(hand_on, job=job, answer=theirs))
        self.futures[self.count] = future
        return self.count, ours

    def kill(self, number: int) -> None:
        """Forget a page; its worker ends it when its time is over."""
        self.futures[number].cancel(force=True)

    def wait(self, number: int) -> int:
        """Return how a page ended of which nothing was heard."""
        return 1

    def close(self) -> None:
        """Forget all that are not done."""
        for future in self.futures.values():
            future.cancel(force=True)


def hand_on(future: Any, *, job: Job, answer: Connection) -> None:
    """Keep the log of a page that is done, and hand on what came of it."""
    try:
        made, log = future.result()
    except BaseException as error:  # what Dask raises for what it lost is an Exception, or not one
        made, log = Made(reason=f"the cluster lost it ({type(error).__name__}: {error})"), ""
    with suppress(OSError):
        job.log.parent.mkdir(parents=True, exist_ok=True)
        job.log.write_text(log, encoding="utf-8")
    with suppress(OSError):
        answer.send(made)
        answer.close()


@functools.cache
def staff() -> ForkedWorkers:
    """Return this worker's warm parent, with a folder of its own for logs and runs."""
    from distributed import get_worker

    return ForkedWorkers(Path(tempfile.mkdtemp(dir=get_worker().local_directory)))


def make_there(job: Job, told: dict[str, str]) -> tuple[Made, str]:
    """On a worker: make one page; return what came of it, and its log."""
    root = Path(os.environ.get("TRADEGAP_ROOT") or job.root)
    reason = differs(told)
    if not (root / "notebooks" / job.spec.notebook.name).is_file():
        reason = f"its worker sees no project at {root}; start it with TRADEGAP_ROOT set to one"
    if reason:
        return Made(reason=reason), ""
    workers = staff()
    spec = replace(job.spec, notebook=root / "notebooks" / job.spec.notebook.name)
    here = Builder(root, root, workers.build, "fork", lambda result: None)
    ((_, made),) = here.make([spec], workers, 1)
    return made, Job(spec, root, workers.build).log.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Coded:
    """What came of a batch of documents: its signals, what was not coded, what was left out."""

    signals: pd.DataFrame
    faults: list[str]
    warnings: list[str]


def code_documents(client: Any, documents: Iterable[Document | str]) -> Iterator[Coded]:
    """Yield what came of documents (a refusal is its line), batch by batch, in their order.

    No more are read ahead than the workers can be kept busy with.
    """
    waiting: deque[Any] = deque()
    for batch in gather(documents):
        waiting.append(client.submit(code_there, batch, describe(), pure=False))
        if len(waiting) > 3 * sum(client.nthreads().values()) + 3:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def gather(documents: Iterable[Document | str]) -> Iterator[list[tuple[Document | str, bool]]]:
    """Yield documents in batches, each with whether it is there for the first time."""
    seen: set[int] = set()
    batch: list[tuple[Document | str, bool]] = []
    size = 0
    for each in documents:
        is_new = False
        if not isinstance(each, str):
            key = hash((each.sha256, each.text))
            is_new = key not in seen
            seen.add(key)
            size += len(each.text)
        batch.append((each, is_new))
        if len(batch) == DOCUMENTS_AT_ONCE or size > CHARACTERS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def code_there(batch: list[tuple[Document | str, bool]], told: dict[str, str]) -> Coded:
    """On a worker: code a batch."""
    from tradegap.coding import find_signals, find_skipped, find_uncoded, tabulate

    if other := differs(told):
        raise TradegapError(f"--dask: {other}")
    faults: list[str] = []
    warnings: list[str] = []
    rows: list[dict[str, Any]] = []
    for each, is_new in batch:
        lines = [each] if isinstance(each, str) else find_uncoded([each])
        faults += lines
        if not lines and not isinstance(each, str):
            warnings += find_skipped([each])
        if is_new and not isinstance(each, str):
            rows += find_signals(each, ())
    return Coded(tabulate(rows), faults, warnings)
