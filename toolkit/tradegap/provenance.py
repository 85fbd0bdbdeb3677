"""Beside the build: what a page is made of, observed while it was made, by content.

A run's process tells what it opened, what folders it listed and what it only looked for; the
page's `.json` in reports/ keeps that, so that anyone can tell later whether the page is current.
What a C library opens by itself is not seen: hand it what Python has read.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tradegap.specs import Spec

__all__ = [
    "Observer",
    "find_changes",
    "hash_bytes",
    "hash_file",
    "hash_package",
    "list_makings",
    "list_shared",
    "read_package",
]

PACKAGE = Path(__file__).resolve().parent
# Whose looking around for modules and installed packages is not a page's reading.
IMPORTING = ("<frozen importlib._bootstrap_external>", importlib.metadata.__file__)
THERE = "there"  # looked for, found, and not opened
# A file has its SHA-256, a folder (a name with a slash at its end) the names in it, and what was
# looked for and not found None.
Input = str | list[str] | None


def hash_file(path: Path | str) -> str | None:
    """Return the SHA-256 of a file, or None where there is none.

    >>> hash_file("/no/such/file") is None
    True
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def list_names(folder: str) -> list[str] | None:
    """Return the names in a folder, sorted, folders with a slash; None where it is no folder.

    Hidden names are left out, so that an editor's scratch file makes no page stale.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(
                each.name + "/" * each.is_dir() for each in entries if not each.name.startswith(".")
            )
    except OSError:
        return None


@functools.cache
def hash_package() -> dict[str, str]:
    """Return the SHA-256 of each file of this package, code and data, as it is now loaded."""
    return read_package()


def read_package() -> dict[str, str]:
    """Return the SHA-256 of each file of this package as it lies on disk."""
    found = {}
    for folder, folders, names in os.walk(PACKAGE):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "__pycache__")))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.startswith(".") and (content := hash_file(path)):
                found[Path(path).relative_to(PACKAGE).as_posix()] = content
    return found


def list_shared(root: Path) -> dict[str, str | None]:
    """Return what all pages are made of: the package as it is loaded, and the lock."""
    package = json.dumps(hash_package(), sort_keys=True)
    return {
        "requirements.lock": hash_file(root / "requirements.lock"),
        "toolkit/tradegap": hash_text(package),
    }


def list_makings(spec: Spec, root: Path, shared: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return what a page is made of before it reads anything: spec, notebook, lock, package.

    What a spec says counts, not how it is written; how long a page may take says nothing of it.
    """
    says = [spec.page, spec.title, spec.question, dict(spec.parameters)]
    makings = {
        spec.source: hash_text(json.dumps(says, ensure_ascii=False)),
        f"notebooks/{spec.notebook.name}": hash_file(spec.notebook),
    }
    named = {f"parameter {name}": hash_file(p) for name, p in named_files(spec, root).items()}
    return {**makings, **shared, **named}


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hash_bytes(text.encode())


def hash_bytes(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def named_files(spec: Spec, root: Path) -> dict[str, str]:
    """Return the files outside the project that a spec's parameters name, by parameter.

    They are known by the parameter, since a path of one machine says nothing on another.
    """
    found = {}
    for name, value in spec.parameters.items():
        if isinstance(value, str) and os.sep in value:
            path = os.path.abspath(os.path.join(spec.notebook.parent, value))
            if not path.startswith(os.path.abspath(root) + os.sep) and os.path.isfile(path):
                found[name] = path
    return found


def look_again(root: Path, name: str, was: Input, seen: dict[str, Input]) -> Input:
    """Return what an input of that name is now, in the form in which it was kept."""
    kind = name + "?" * (was in (None, THERE))
    if kind not in seen:
        path = os.path.join(root, name)
        if name.endswith("/"):
            seen[kind] = list_names(path)
        elif was in (None, THERE):
            seen[kind] = THERE if os.path.exists(path) else None
        else:
            seen[kind] = hash_file(path)
    return seen[kind]


def find_changes(
    record: Mapping[str, Any],
    makings: Mapping[str, str | None],
    *,
    root: Path,
    folder: Path,
    seen: dict[str, Input],
) -> list[str]:
    """Return one line per thing that is not as it was when a page was built; none if current.

    `record` is the page's provenance, `folder` where page and figures lie; `seen` keeps, from page
    to page, what was looked at already.
    """
    lines = [
        told(name, was, now)
        for name, was, now in (
            (name, record.get("made_of", {}).get(name), makings.get(name))
            for name in sorted({*makings, *record.get("made_of", {})})
        )
        if was != now
    ]
    for name, was in record.get("read", {}).items():
        now = look_again(root, name, was, seen)
        if now != was:
            lines.append(told(name, was, now))
    for name, was in record.get("outputs", {}).items():
        if (now := hash_file(folder / name)) != was:
            lines.append(f"{folder.name}/{name}: {'edited by hand' if now else 'gone'}")
    return lines


def told(name: str, was: Input, now: Input) -> str:
    """Return in a line how an input differs.

    >>> told("data/talks/a/notes/", ["b.md"], ["b.md", "c.md"])
    'data/talks/a/notes/c.md: new'
    """
    if isinstance(was, list) and isinstance(now, list):
        new = [f"{name}{each}: new" for each in now if each not in was]
        return "; ".join(new + [f"{name}{each}: gone" for each in was if each not in now])
    if was is None or now is None:
        return f"{name}: {'gone' if now is None else 'new'}"
    return f"{name}: changed"


class Observer:
    """Sees which files of a project this process opens, lists and looks for, from `watch` on.

    There is one in a process, for good: Python's audit hooks cannot be taken back.
    """

    def __init__(self, root: Path) -> None:
        """Take the project's folder."""
        self.bases = tuple({os.path.abspath(root) + os.sep, os.path.realpath(root) + os.sep})
        self.root = root
        self.read: dict[str, Input] = {}
        self.is_on = False
        self.inside = threading.local()
        self.stat = os.stat

    def watch(self) -> None:
        """Begin."""
        sys.addaudithook(self.hear)
        for name in ("stat", "lstat", "access"):
            ours = self.watched(getattr(os, name))
            # Some of the standard library asks whether os.stat itself can do a thing.
            for abilities in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
                if getattr(os, name) in abilities:
                    abilities.add(ours)
            setattr(os, name, ours)
        self.is_on = True

    def watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call of os that looks for a path, which makes no audit event, made to tell."""

        @functools.wraps(call)
        def look(path: Any, *more: Any, **options: Any) -> Any:
            if not self.imports():
                self.note(path, "look")
            return call(path, *more, **options)

        return look

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event."""
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR) == os.O_WRONLY
            if not writes and not self.imports():
                self.note(path, "open")
        elif event in ("os.listdir", "os.scandir") and not self.imports():
            self.note(arguments[0] or ".", "list")

    def imports(self) -> bool:
        """Return whether it is the import system that asks; `finish` adds the modules."""
        return self.is_on and sys._getframe(2).f_code.co_filename in IMPORTING

    def note(self, path: Any, how: str) -> None:
        """Keep what was opened, listed or looked for, as it is at this moment."""
        if not self.is_on or getattr(self.inside, "now", False):
            return
        self.inside.now = True
        try:
            name = self.name(path)
            if name is None:
                return
            if how == "list":
                self.read.setdefault(f"{name}/", list_names(os.path.join(self.root, name)))
            elif self.read.get(name) in (None, THERE):
                self.read[name] = self.find(os.path.join(self.root, name), how)
        except (OSError, ValueError, TypeError):
            pass
        finally:
            self.inside.now = False

    def find(self, path: str, how: str) -> Input:
        """Return what an input is now: its hash where it is opened, else whether it is there."""
        try:
            mode = self.stat(path).st_mode
        except OSError:
            return None
        return hash_file(path) if how == "open" and stat.S_ISREG(mode) else THERE

    def name(self, path: Any) -> str | None:
        """Return a path in the project as its provenance names it; None for one that has no say.

        The package counts as a whole, what is hidden or in build/ not at all.
        """
        if isinstance(path, int):
            return None
        full = os.path.abspath(os.fsdecode(path))
        base = next((each for each in self.bases if full.startswith(each)), None)
        own = full in (str(PACKAGE), str(PACKAGE.parent)) or full.startswith(f"{PACKAGE}{os.sep}")
        if base is None or own:
            return None
        name = full[len(base) :].replace(os.sep, "/")
        parts = name.split("/")
        hidden = any(each.startswith((".", "__pycache__", "<")) for each in parts)
        return None if hidden or parts[0] == "build" or not name else name

    def finish(self) -> dict[str, Input]:
        """Return what was read, and stop."""
        for module in list(sys.modules.values()):
            if isinstance(path := getattr(module, "__file__", None), str):
                self.note(path, "open")
        self.is_on = False
        return dict(sorted(self.read.items()))
