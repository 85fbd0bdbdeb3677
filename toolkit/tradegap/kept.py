"""Beside the stages: signals kept by document and coder, so that no document is coded twice.

Other results that many pages need are kept likewise, by all that they were made of.

A build names a store (TRADEGAP_SIGNALS); without one, documents are simply coded. What is kept is
what the coder said, to the byte: a store changes no page. It holds sentences of private documents,
so it lies in build/, which git ignores.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import fcntl
except ImportError:  # Windows: two processes may code one document at the same time
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import pandas as pd

    from tradegap.documents import Document

__all__ = ["STORE", "code_once", "make_once", "open_store", "prepare_store"]

STORE = "TRADEGAP_SIGNALS"
PACKAGE = Path(__file__).resolve().parent
TABLE = "CREATE TABLE IF NOT EXISTS signals (document TEXT PRIMARY KEY, coder TEXT, rows TEXT)"
MADE = "CREATE TABLE IF NOT EXISTS made (key TEXT PRIMARY KEY, maker TEXT, told TEXT)"
WAIT_SECONDS = 60


@functools.cache
def name_coder() -> str:
    """Return what stands for the coder as it is: a hash of its code and its cue files."""
    digest = hashlib.sha256(sys.version.encode())
    files = [*PACKAGE.glob("coding/*.py"), *PACKAGE.glob("cues/*"), PACKAGE / "tables.py"]
    for path in sorted(files):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def name_package() -> str:
    """Return what stands for the package as it is: a hash of all its code, cues and tables."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted({*PACKAGE.rglob("*.py"), *PACKAGE.glob("cues/*"), *PACKAGE.glob("*.yml")}):
        digest.update(f"{path.relative_to(PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def make_once(parts: Sequence[str], make: Callable[[], Any]) -> Any:
    """Return what `make` makes of these parts (text that stands for all it reads), as JSON has it.

    Without a store, or with one that cannot be used, it is made.
    """
    path = os.environ.get(STORE)
    if not path:
        return make()
    key = hashlib.sha256(json.dumps([name_package(), *parts]).encode()).hexdigest()
    try:
        # Another page may be making the same: waiting for it is cheaper than to do it twice. The
        # lock is not that of the documents, which closing any of its files would free.
        with (
            closing(open_store(Path(path))) as store,
            Path(path).with_suffix(".made").open("ab") as lock,
            claim(lock, key, waits=True),
        ):
            row = store.execute("SELECT told FROM made WHERE key = ?", (key,)).fetchone()
            if row is not None:
                return json.loads(row[0])
            told = json.dumps(made := make(), ensure_ascii=False)
            store.execute(
                "INSERT OR REPLACE INTO made VALUES (?, ?, ?)", (key, name_package(), told)
            )
            return made
    except (sqlite3.Error, OSError) as error:
        logging.warning("%s: cannot be used (%s); the result is made anew", path, error)
        Path(f"{path}.bad").touch()
        return make()


def code_once(documents: Sequence[Document], *, talks: Sequence[str] = ()) -> pd.DataFrame:
    """Return one row per signal of all documents (table `signals`), coding those that are new.

    The same frame as `code_documents` returns.
    """
    from tradegap.coding import code_documents, tabulate

    path = os.environ.get(STORE)
    if not path:
        return code_documents(documents, talks=talks)
    try:
        with closing(open_store(Path(path))) as store:
            rows = gather(store, Path(path), documents, talks)
    except (sqlite3.Error, OSError) as error:
        logging.warning("%s: cannot be used (%s); the documents are coded anew", path, error)
        Path(f"{path}.bad").touch()
        return code_documents(documents, talks=talks)
    return tabulate(row for each in rows for row in each)


def gather(
    store: sqlite3.Connection, path: Path, documents: Sequence[Document], talks: Sequence[str]
) -> list[list[dict[str, Any]]]:
    """Return the rows of each document; what another process is coding just now comes last."""
    from tradegap.coding import find_signals

    keys = [key_of(each, talks) for each in documents]
    found = {key: rows for key in keys if (rows := look_up(store, key)) is not None}
    with path.with_suffix(".lock").open("ab") as lock:
        for waits in (False, True):
            for document, key in zip(documents, keys, strict=True):
                if key in found:
                    continue
                with claim(lock, key, waits=waits) as mine:
                    if not mine:
                        continue
                    rows = look_up(store, key)
                    if rows is None:
                        rows = find_signals(document, talks)
                        keep(store, key, rows)
                    found[key] = rows
    return [found[key] for key in keys]


def key_of(document: Document, talks: Sequence[str]) -> str:
    """Return what stands for a document, as this coder sees it, among these talks."""
    told = repr((name_coder(), document, tuple(talks)))
    return hashlib.sha256(told.encode()).hexdigest()


def look_up(store: sqlite3.Connection, key: str) -> list[dict[str, Any]] | None:
    """Return what the coder said of a document, or None where it has not been asked."""
    row = store.execute("SELECT rows FROM signals WHERE document = ?", (key,)).fetchone()
    if row is None:
        return None
    rows: list[dict[str, Any]] = json.loads(row[0], object_hook=as_day)
    return rows


def keep(store: sqlite3.Connection, key: str, rows: list[dict[str, Any]]) -> None:
    """Keep what the coder said."""
    told = json.dumps(rows, default=lambda day: {"day": day.isoformat()}, ensure_ascii=False)
    store.execute("INSERT OR REPLACE INTO signals VALUES (?, ?, ?)", (key, name_coder(), told))


def as_day(content: dict[str, Any]) -> Any:
    """Return a kept day as the timestamp that it was, anything else as it is."""
    import pandas as pd

    return pd.Timestamp(content["day"]) if content.keys() == {"day"} else content


@contextmanager
def claim(lock: Any, key: str, *, waits: bool) -> Iterator[bool]:
    """Hold one document against all other processes: a byte of the lock file is its own."""
    if fcntl is None:
        yield True
        return
    place = int(key[:15], 16)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB), 1, place)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        fcntl.lockf(lock, fcntl.LOCK_UN, 1, place)


def open_store(path: Path) -> sqlite3.Connection:
    """Return a store, made where there is none."""
    store = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    # It can be made anew at any time: what a power cut takes from it is no loss.
    store.execute("PRAGMA synchronous = OFF")
    store.execute(TABLE)
    store.execute(MADE)
    return store


def prepare_store(path: Path) -> None:
    """Put a broken store aside, and forget what an earlier coder said."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bad = Path(f"{path}.bad")
    try:
        if bad.exists():
            raise sqlite3.DatabaseError("a run could not use it")
        with closing(open_store(path)) as store:
            store.execute("DELETE FROM signals WHERE coder != ?", (name_coder(),))
            store.execute("DELETE FROM made WHERE maker != ?", (name_package(),))
    except sqlite3.Error:
        for suffix in ("-journal", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        if path.exists():
            path.replace(f"{path}.broken")
        bad.unlink(missing_ok=True)
