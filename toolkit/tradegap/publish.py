"""Beside the build: files put in place whole, by one builder at a time.

A page, its figures and its provenance belong together. All three are written beside the old ones
before the first is replaced, the provenance last; from then on they can be finished by whoever
comes next, and before it they have never been.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tradegap.errors import BusyError
from tradegap.provenance import hash_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

__all__ = ["hold", "publish", "read_json", "recover", "replace"]


@contextmanager
def hold(build: Path) -> Iterator[None]:
    """Hold a build folder; raise BusyError where another builder, still alive, holds it.

    The system gives the lock back when its holder ends, however it ends.
    """
    build.mkdir(parents=True, exist_ok=True)
    with (build / "lock").open("a+b") as lock:
        try:
            if fcntl:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            raise BusyError(
                f"{build}: another build is under way there; wait for it, or end it"
            ) from None
        yield


def publish(folder: Path, name: str, outputs: Mapping[str, bytes], provenance: bytes) -> None:
    """Put a page's outputs (by suffix) and its provenance in place, all or nothing.

    A file that would be replaced by the same bytes is left as it is.
    """
    files = {folder / f"{name}{suffix}": content for suffix, content in outputs.items()}
    files = {path: content for path, content in files.items() if read_bytes(path) != content}
    folder.mkdir(parents=True, exist_ok=True)
    deed = part_of(folder / f"{name}.json")
    try:
        for path, content in files.items():
            write(part_of(path), content)
        write(deed, provenance)
    except BaseException:
        for path in (deed, *map(part_of, files)):
            path.unlink(missing_ok=True)
        raise
    sync(folder)
    finish(deed)


def recover(out: Path) -> None:
    """Finish what a killed builder had begun to put in place; clear away what it had not.

    Only a provenance that is whole, and whose outputs are all there, was begun.
    """
    for deed in sorted(out.glob("**/.*.json.part")):
        finish(deed)
    for left in out.glob("**/.*.part"):
        left.unlink(missing_ok=True)


def finish(deed: Path) -> None:
    """Put in place what lies ready beside a provenance, and the provenance last."""
    whole = read_json(deed).get("outputs", {})
    paths = {deed.parent / name: content for name, content in whole.items()}
    ready = {path for path, content in paths.items() if is_it(part_of(path), content)}
    if not paths or not all(path in ready or is_it(path, paths[path]) for path in paths):
        return
    for path in ready:
        os.replace(part_of(path), path)
    sync(deed.parent)
    os.replace(deed, deed.with_name(deed.name[1:].removesuffix(".part")))
    sync(deed.parent)


def replace(path: Path, content: bytes) -> None:
    """Put one whole file in place of an old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        write(part, content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping that a file holds; an empty one where there is none, or no sound one."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def part_of(path: Path) -> Path:
    """Return where a file lies until it is whole.

    >>> part_of(Path("reports/a/b.csv")).name
    '.b.csv.part'
    """
    return path.with_name(f".{path.name}.part")


def write(path: Path, content: bytes) -> None:
    """Write a file down to the disk."""
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # The system says what went wrong, but mostly not with which file.
        raise OSError(error.errno, error.strerror, str(path)) from None


def sync(folder: Path) -> None:
    """Bring a folder's names down to the disk, where the system can."""
    if fcntl:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_bytes(path: Path) -> bytes | None:
    """Return what a file holds, or None where there is none."""
    return path.read_bytes() if path.is_file() else None


def is_it(path: Path, content: str) -> bool:
    """Return whether a file has that SHA-256."""
    return hash_file(path) == content
