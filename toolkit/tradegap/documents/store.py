"""First stage: a negotiation's documents, its published notes and an analyst's private files.

Private files are kept as they came, byte for byte, in the negotiation's `private/` folder, which
git ignores; `private/record.jsonl` says of each where it came from and what dated it, and
`private/review.jsonl` holds the decisions on them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from tradegap.documents.dating import as_day
from tradegap.documents.model import Document
from tradegap.documents.reading import Option, list_files, read_bytes, read_option
from tradegap.errors import DocumentError

__all__ = ["add_documents", "check_notes", "load_documents"]

PRIVATE, RECORD, LEDGER, IGNORE = "private", "record.jsonl", "review.jsonl", ".gitignore"
NO_DOCUMENTS = (RECORD, LEDGER)
NOTE_FACTS = ("title", "publisher", "source_url", "confidence")
LONGEST_STEM = 80


def add_documents(
    folder: Path, paths: Iterable[Path | str], *, published: date | str | None = None
) -> tuple[list[Document], list[str]]:
    """Copy files into a negotiation's private folder; return one document per article taken in.

    Beside them, one line per file or article refused, as in `read_documents`. The bytes are kept
    unchanged under a name of the form 2019-08-21-stem.txt; a .jsonl is kept whole. Bytes that are
    there already are not added twice, and a file is there whole or not at all.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as scratch:
    ...     story = Path(scratch) / "Story 2019-08-21.txt"
    ...     _ = story.write_text("The envoys met again on Wednesday.")
    ...     added, refused = add_documents(Path(scratch), [story])
    >>> added[0].name, refused
    ('private/2019-08-21-Story.txt', [])
    """
    if not folder.is_dir():
        raise DocumentError(f"{folder}: no such negotiation; make its folder first")
    day, fault = read_option(published)
    if fault:
        return [], [fault]
    found, refused = list_files(paths)
    single = len(found) == 1 and found[0].suffix.lower() != ".jsonl"
    record = read_record(folder)
    added: list[Document] = []
    for path in found:
        try:
            raw = path.read_bytes()
        except OSError as error:
            refused.append(f"{path}: cannot be read ({error.strerror}); check its permissions")
            continue
        sha256 = hashlib.sha256(raw).hexdigest()
        kept = next((name for name, row in record.items() if row["sha256"] == sha256), "")
        if kept and (folder / PRIVATE / kept).is_file():
            refused.append(f"{path}: already there as {PRIVATE}/{kept}; nothing was added")
            continue
        taken, faults = read_bytes(raw, str(path), option=Option(day, single))
        refused += faults
        if not taken:
            continue
        earliest = min(taken, key=lambda document: document.published)
        name = free_name(folder / PRIVATE, safe_name(path.name, earliest.published), raw)
        keep(folder / PRIVATE / name, raw)
        is_list = path.suffix.lower() == ".jsonl"
        record[name] = {
            "name": name,
            "sha256": sha256,
            # The lines of a .jsonl have dates of their own; the option fills in for those without.
            "published": (str(day) if day else "") if is_list else str(earliest.published),
            "dated_by": "" if is_list else earliest.dated_by,
            "original": path.name,
        }
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in record.values())
        keep(folder / PRIVATE / RECORD, "".join(lines).encode("utf-8", "replace"))
        added += [
            replace(each, name=each.name.replace(str(path), f"{PRIVATE}/{name}"), is_private=True)
            for each in taken
        ]
    return added, refused


def load_documents(folder: Path, *, private: bool = True) -> list[Document]:
    """Return one document per note and, with `private`, per private article, oldest first.

    Each is named by its path within the folder. Raises DocumentError with one line per note or
    private file that cannot stand, save bad lines of a .jsonl, which were refused when added.
    """
    faults: list[str] = []
    documents: list[Document] = []
    record = read_record(folder) if private else {}
    paths = [(path, False) for path in sorted((folder / "notes").glob("*.md"))]
    if private:
        inside = sorted((folder / PRIVATE).glob("[!.]*"))
        paths += [
            (path, True) for path in inside if path.is_file() and path.name not in NO_DOCUMENTS
        ]
    for path, is_private in paths:
        try:
            raw = path.read_bytes()
        except OSError as error:
            faults.append(f"{path}: cannot be read ({error.strerror}); it takes a file")
            continue
        row = record.get(path.name, {}) if is_private else {}
        if row and row["sha256"] != hashlib.sha256(raw).hexdigest():
            faults.append(f"{path}: its bytes changed since it was added; add it again")
            continue
        is_single = path.suffix.lower() != ".jsonl"
        day = as_day(row.get("published") or None)
        option = Option(day, is_single, str(row.get("original", "")))
        taken, refused = read_bytes(raw, str(path), option=option, latest=date.max)
        if is_single:
            faults += refused
        if not is_private:
            faults += [fault for each in taken for fault in lacks(each)]
        for each in taken:
            name = each.name.replace(str(path), path.relative_to(folder).as_posix())
            dated_by = row.get("dated_by") or each.dated_by
            documents.append(replace(each, name=name, dated_by=dated_by, is_private=is_private))
    if faults:
        raise DocumentError(faults)
    documents.sort(key=lambda document: (document.published, document.name))
    first = {document.sha256: document for document in reversed(documents)}
    return [document for document in documents if first[document.sha256] is document]


def check_notes(folder: Path) -> list[str]:
    """Return one line per note that no reader could rely on, though it can be read.

    Its name starts with its day, no note is dated ahead of today, none is there twice, and nothing
    but notes lies among them.
    """
    faults: list[str] = []
    seen: dict[str, str] = {}
    for path in sorted((folder / "notes").glob("[!.]*")):
        if path.suffix != ".md":
            faults.append(f"{path}: is no note; a note is a .md file, other files go elsewhere")
        if path.suffix != ".md" or not path.is_file():
            continue
        raw = path.read_bytes()
        first = seen.setdefault(hashlib.sha256(raw).hexdigest(), path.name)
        if first != path.name:
            faults.append(f"{path}: is {first} once more; delete one")
        # What cannot be read or is dated ahead is refused here, too, unlike when a page is built.
        taken, refused = read_bytes(raw, str(path), option=Option(None, True))
        faults += refused
        faults += [
            f"{path}: published {note.published}; its name starts with that day"
            for note in taken
            if not path.name.startswith(f"{note.published}-")
        ]
    return faults


def lacks(note: Document) -> list[str]:
    """Return one fault per fact that a published note does not state."""
    return [
        f"{note.name}: front matter lacks {fact}; a published note states {', '.join(NOTE_FACTS)}"
        for fact in NOTE_FACTS
        if not getattr(note, fact)
    ]


def read_record(folder: Path) -> dict[str, dict[str, Any]]:
    """Return one row per private file, by name: its hash, its date, what dated it."""
    path = folder / PRIVATE / RECORD
    rows: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    if not path.is_file():
        return rows
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not all(isinstance(row[key], str) for key in ("name", "sha256", "published")):
                raise TypeError
            rows[row["name"]] = row
        except (ValueError, TypeError, KeyError, RecursionError):
            faults.append(f'{path}:line {number}: found no {{"name", "sha256", "published"}}')
    if faults:
        raise DocumentError([f"{fault}; mend the line or add the file again" for fault in faults])
    return rows


def safe_name(name: str, published: date) -> str:
    """Return a file name that any system takes: day, stem in plain letters, suffix.

    >>> safe_name("Motegi: “very tough” 20190821.TXT", date(2019, 8, 21))
    '2019-08-21-Motegi-very-tough.txt'
    """
    stem, dot, suffix = name.rpartition(".")
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    for day in (f"{published:%Y-%m-%d}", f"{published:%Y%m%d}"):
        plain = plain.replace(day, "")
    plain = re.sub(r"[^A-Za-z0-9]+", "-", plain)[:LONGEST_STEM].strip("-")
    return f"{published:%Y-%m-%d}-{plain or 'document'}{dot}{suffix.lower()}"


def free_name(folder: Path, name: str, raw: bytes) -> str:
    """Return the name, with -2, -3, … where other bytes have it already."""
    stem, _, suffix = name.rpartition(".")
    number = 1
    while (folder / name).exists() and (folder / name).read_bytes() != raw:
        number += 1
        name = f"{stem}-{number}.{suffix}"
    return name


def keep(path: Path, raw: bytes) -> None:
    """Write a private file, in a folder that git ignores."""
    ignore_folder(path.parent)
    put(path, raw)


def ignore_folder(folder: Path) -> None:
    """Make a private folder, if it is not there, and have git ignore it wherever it lies."""
    folder.mkdir(exist_ok=True)
    ignore = folder / IGNORE
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def put(path: Path, raw: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(raw)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
