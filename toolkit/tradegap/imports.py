"""Beside the third stage: signals coded elsewhere in, verified, and joined with our own.

Any other coder can join: a person with a spreadsheet, another program, a chat model. What it says
is JSON Lines as `tradegap code` prints them, or CSV with the same columns. Each claim is held to
the document that it speaks of (coding/claims.py) and refused by itself. What stands is kept per
coder: on notes in `signals/<coder>.jsonl`, on documents of an analyst's own in `private/signals/`,
which git ignores. It is verified again whenever it is read.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tradegap.coding import to_json
from tradegap.coding.claims import (
    BUILT_IN,
    CHAT,
    CHAT_CONFIDENCE,
    Codes,
    find_faults,
    find_sentence,
    read_codes,
    told,
    type_claims,
)
from tradegap.documents import Document, load_documents
from tradegap.documents.store import keep, put
from tradegap.errors import DataError, TradegapError
from tradegap.review import numbered_lines
from tradegap.tables import conform, declared_tables, empty
from tradegap.talks import read_negotiation

__all__ = ["check_imported", "import_signals", "join_signals", "read_imported"]

FOLDER, PRIVATE = "signals", "private"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
CLAIM = ["sha256", "start", "end", "direction", "talks"]
REQUIRED = ("sha256", "start", "end", "text", "direction", "issues", "confidence")
DEFAULTS = {"pace": "none", "scope": "between"}
LISTS = ("issues", "talks")
COLUMNS = (*declared_tables()["signals"].columns, "coder")
KEYS = (*(each for each in COLUMNS if not each.startswith("forward_")), "forward")


@dataclass
class Line:
    """One claim of a file: where it stands, its cells as text, and what is wrong with it."""

    where: str
    claim: dict[str, str]
    faults: list[str] = field(default_factory=list)


def import_signals(
    talks: str, paths: Iterable[Path | str], *, coder: str
) -> tuple[pd.DataFrame, list[str]]:
    """Take another coder's signals into a negotiation; return one row each, and the refusals.

    Each refusal is a line: file and line, what was found, what would do. What a coder says of a
    document replaces all that it said of it before; the same file twice changes nothing.
    """
    if not NAME.fullmatch(coder) or coder == BUILT_IN:
        raise DataError(
            f"--coder: found {told(coder)}; it takes up to 40 small letters, digits and hyphens,"
            f" and not {BUILT_IN}, the built-in coder"
        )
    negotiation = read_negotiation(talks)
    documents = {each.sha256: each for each in load_documents(negotiation.folder)}
    codes = read_codes()
    refused: list[str] = []
    taken: dict[tuple[str, ...], Line] = {}
    for path in map(Path, paths):
        try:
            lines = read_lines(path)
        except TradegapError as error:
            refused += error.faults
            continue
        for line in lines:
            verify(line, coder, documents, codes, negotiation.parties)
            key = tuple(line.claim[each] for each in CLAIM) if not line.faults else ()
            if key in taken and taken[key].claim != line.claim:
                line.faults.append(f"says otherwise what {taken[key].where} says; keep one")
            if line.faults:
                refused += [f"{line.where}: {fault}" for fault in line.faults]
            else:
                taken.setdefault(key, line)
    if not taken:
        return empty("found_signals"), refused
    signals = type_claims([line.claim for line in taken.values()])
    store(negotiation.folder, coder, signals, documents)
    return conform(signals.assign(coder=coder), "found_signals"), refused


def store(folder: Path, coder: str, signals: pd.DataFrame, documents: dict[str, Document]) -> None:
    """Write a coder's files anew, with these signals in place of what it said of their documents.

    A file is there whole or not at all, and is left alone where nothing changed.
    """
    spoken = set(signals["sha256"])
    for private in (False, True):
        path = file_of(folder, coder, private)
        own = [documents[sha256].is_private == private for sha256 in signals["sha256"]]
        lines = [to_json(row) for _, row in signals[own].iterrows()]
        for number, line in numbered_lines(path) if path.is_file() else []:
            record = parse_line(line)
            if not isinstance(record, dict):
                raise DataError(f"{path}:line {number}: {record}; mend or delete the line first")
            if record.get("sha256") not in spoken:
                lines.append(line)
        content = "".join(line + "\n" for line in sorted(lines, key=order_of)).encode()
        before = path.read_bytes() if path.is_file() else b""
        if content == before:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            (keep if private else put)(path, content)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from None


def file_of(folder: Path, coder: str, private: bool) -> Path:
    """Return where a coder's signals stand: those on private documents, or those on notes."""
    return folder / (PRIVATE if private else "") / FOLDER / f"{coder}.jsonl"


def order_of(line: str) -> tuple[str, str, int, str]:
    """Return what a kept line is sorted by: day, document, place, and the line itself."""
    record = json.loads(line)
    start = record.get("start")
    at = start if isinstance(start, int) else 0
    return str(record.get("published")), str(record.get("document")), at, line


def read_imported(folder: Path, documents: Iterable[Document]) -> pd.DataFrame:
    """Return one row per imported signal on these documents (table `found_signals`).

    Signals on other documents are passed over: they are not in this copy, or later than the day
    asked for. Raises DataError with every line that does not stand.
    """
    signals, faults = gather(folder, documents)
    if faults:
        raise DataError(faults)
    return signals


def check_imported(folder: Path, documents: Iterable[Document]) -> list[str]:
    """Return the faults of a negotiation's imported signals, one line each; none is good."""
    texts = list(documents)
    known = {each.sha256 for each in texts}
    _, faults = gather(folder, texts)
    for path in sorted((folder / FOLDER).glob("*")):
        if path.suffix != ".jsonl" or not NAME.fullmatch(path.stem) or path.stem == BUILT_IN:
            faults.append(f"{path}: is no coder's; it takes a name such as ann.jsonl")
            continue
        lines = [] if faults else read_lines(path)
        gone = {line.claim["document"] for line in lines if line.claim["sha256"] not in known}
        faults += [
            f"{path}: {told(name)} is not there or has changed since; import its signals again"
            for name in sorted(gone)
        ]
    return faults


def gather(folder: Path, documents: Iterable[Document]) -> tuple[pd.DataFrame, list[str]]:
    """Return the imported signals on these documents, and the faults of their files."""
    texts = {each.sha256: each for each in documents}
    frames, faults = [], []
    paths = [(path, False) for path in sorted((folder / FOLDER).glob("*.jsonl"))]
    if any(each.is_private for each in texts.values()):
        inside = sorted((folder / PRIVATE / FOLDER).glob("*.jsonl"))
        paths += [(path, True) for path in inside]
    codes = read_codes() if paths else Codes(frozenset(), frozenset())
    for path, is_private in paths:
        try:
            lines = read_lines(path)
        except TradegapError as error:
            faults += error.faults
            continue
        own: dict[tuple[str, ...], dict[str, str]] = {}
        for line in lines:
            document = texts.get(line.claim["sha256"])
            if document is None and not line.faults:
                continue
            verify(line, path.stem, texts, codes)
            if document and document.is_private and not is_private:
                line.faults.append(
                    f"is on {document.name}, whose text is not to get into git; move the line to"
                    f" {PRIVATE}/{FOLDER}/{path.name}"
                )
            faults += [f"{line.where}: {fault}" for fault in line.faults]
            if not line.faults and document and document.is_private == is_private:
                own[tuple(line.claim[each] for each in CLAIM)] = line.claim
        if own:
            # Of private documents no words but the sentence's own: `why` could hold any.
            claims = [each | {"why": ""} if is_private else each for each in own.values()]
            frames.append(type_claims(claims).assign(coder=path.stem))
    found = pd.concat(frames, ignore_index=True) if frames else empty("found_signals")
    return conform(found, "found_signals"), faults


def join_signals(coded: pd.DataFrame, imported: pd.DataFrame) -> pd.DataFrame:
    """Return one row per signal, with all who found it (table `found_signals`).

    Coders who say the same of a sentence (direction and talks) give one signal, told by the surest
    of them and no surer than that one: they read the same words, and may err together. Coders who
    differ give a signal each; the gap's model lets all signals of a story share one weight.
    """
    both = pd.concat([coded.assign(coder=BUILT_IN), imported], ignore_index=True)
    if both.empty:
        return empty("found_signals")
    found_by = both.groupby(CLAIM)["coder"].agg(";".join).rename("coders").reset_index()
    surest = both.sort_values("confidence", ascending=False, kind="stable").drop_duplicates(CLAIM)
    joined = surest.sort_index().merge(found_by, on=CLAIM)
    return conform(joined.assign(coder=joined["coders"]), "found_signals")


def verify(
    line: Line,
    coder: str,
    documents: dict[str, Document],
    codes: Codes,
    talks: Iterable[str] = (),
) -> None:
    """Complete a claim with what its document tells, and note on its line what does not stand.

    A part of a sentence stands for the sentence. Where the claim names no talks, they are `talks`.
    """
    if line.faults:
        return
    claim = line.claim
    document = documents.get(claim["sha256"])
    if document is None:
        line.faults.append(
            f"'sha256' found {told(claim['sha256'][:16])}, no document of these talks; `tradegap"
            " add` the document first, and code just those bytes"
            if claim["sha256"]
            else "'sha256' is empty; it is required"
        )
        return
    published = str(document.published)
    claim["document"] = document.name
    claim["published"] = claim["published"] or published
    claim["event_date"] = claim["event_date"] or published
    claim["talks"] = claim["talks"] or ";".join(talks)
    line.faults += find_faults(claim, document, codes)
    if claim["coder"] not in ("", coder):
        line.faults.append(
            f"'coder' found {told(claim['coder'])}; import it under that name, not as {coder}"
        )
    if line.faults:
        return
    if coder.startswith(CHAT) and float(claim["confidence"]) > CHAT_CONFIDENCE:
        line.faults.append(
            f"'confidence' found {claim['confidence']}; a chat model's is {CHAT_CONFIDENCE} at most"
        )
    sentence = find_sentence(document, int(claim["start"]), int(claim["end"]))
    if sentence:
        claim |= {"start": str(sentence.start), "end": str(sentence.end), "text": sentence.text}
        claim["headline"] = "true" if sentence.kind == "title" else "false"
    for each in LISTS:
        codes_here = dict.fromkeys(part.strip() for part in claim[each].split(";") if part.strip())
        claim[each] = ";".join(sorted(codes_here) if each == "talks" else codes_here)


def read_lines(path: Path) -> list[Line]:
    """Return the claims of a JSON Lines or CSV file, each with the faults of its form."""
    if path.suffix.lower() not in (".jsonl", ".csv"):
        raise DataError(f"{path}: found '{path.suffix or 'no suffix'}'; it takes .jsonl or .csv")
    if not path.is_file():
        raise DataError(f"{path}: no such file; it takes the signals that `tradegap code` prints")
    try:
        lines = numbered_lines(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if path.suffix.lower() == ".csv":
        return read_rows(path)
    read = []
    for number, text in lines:
        record = parse_line(text)
        line = Line(f"{path}:line {number}", dict.fromkeys(COLUMNS, ""))
        if isinstance(record, str):
            line.faults = [f"{record}; one signal a line, as `tradegap code` prints it"]
        else:
            line.claim, line.faults = flatten(record)
        read.append(line)
    return read


def parse_line(text: str) -> dict[str, Any] | str:
    """Return the object that a line of JSON holds, or what is wrong with it.

    >>> parse_line("[]")
    'holds no object'
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"is no JSON ({getattr(error, 'msg', 'nested too deeply or too long a number')})"
    return record if isinstance(record, dict) else "holds no object"


def read_rows(path: Path) -> list[Line]:
    """Return the claims of a CSV file with the columns of `tradegap code --format csv`."""
    text = path.read_text(encoding="utf-8-sig")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        rows = [(number, cells) for number, cells in enumerate(reader, start=1) if any(cells)]
    except csv.Error as error:
        raise DataError(f"{path}:line {reader.line_num}: is no CSV ({error})") from None
    header = [each.strip() for each in rows[0][1]] if rows else []
    lacks = [each for each in REQUIRED if each not in header]
    strange = [each for each in header if each not in COLUMNS]
    if lacks or strange or len(set(header)) < len(header):
        raise DataError(
            f"{path}:row 1: found the columns {told(header)}"
            + (f", lacks {', '.join(lacks)}" if lacks else "")
            + (f", does not know {', '.join(map(told, strange))}" if strange else "")
            + f"; it takes {', '.join(COLUMNS)}, parted by commas, each once"
        )
    lines = []
    for number, cells in rows[1:]:
        line = Line(f"{path}:row {number}", dict.fromkeys(COLUMNS, ""))
        if len(cells) != len(header):
            line.faults = [f"found {len(cells)} cells; it takes {len(header)}"]
        else:
            told_of = dict(zip(header, cells, strict=True))
            stripped = {
                name: cell.replace("\r\n", "\n") if name == "text" else cell.strip()
                for name, cell in told_of.items()
            }
            line.claim |= DEFAULTS | {name: cell for name, cell in stripped.items() if cell}
        lines.append(line)
    return lines


def flatten(record: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return a signal as `tradegap code` prints it as cells of text, and the faults of its form.

    >>> flatten({"issues": ["autos"], "forward": {"text": "a round", "date": None}})[0]["issues"]
    'autos'
    """
    claim = dict.fromkeys(COLUMNS, "") | DEFAULTS
    faults = [f"lacks '{key}'; it is required" for key in REQUIRED if key not in record]
    faults += [
        f"does not know {told(key)}; it takes {', '.join(KEYS)}"
        for key in record
        if key not in KEYS
    ]
    for key in KEYS:
        value = record.get(key)
        if value is None:
            continue
        cells = cells_of(key, value)
        if cells is None:
            faults.append(f"'{key}' found {told(value)}; it takes {takes(key)}")
        else:
            claim |= cells
    if not all(is_whole(cell) for cell in claim.values()):
        faults.append("found half a character (a lone surrogate); write it anew")
    return claim, faults


def cells_of(key: str, value: Any) -> dict[str, str] | None:
    """Return the cells that one key of a signal fills; None where its value is of another kind."""
    if key in ("start", "end"):
        fits = isinstance(value, int) and not isinstance(value, bool)
        return {key: told(value)} if fits else None
    if key == "confidence":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return {key: told(value)} if fits else None
    if key == "headline":
        return {key: "true" if value else "false"} if isinstance(value, bool) else None
    if key in LISTS:
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return {key: ";".join(value)} if fits else None
    if key == "forward":
        fits = isinstance(value, dict) and value.keys() <= {"text", "date"}
        words, when = (value.get("text"), value.get("date") or "") if fits else (None, None)
        if not isinstance(words, str) or not isinstance(when, str):
            return None
        return {"forward_text": words, "forward_date": when}
    if key == "why":
        signs = [sign_of(each) for each in value] if isinstance(value, list) else [""]
        return {key: ";".join(signs)} if all(signs) else None
    return {key: value} if isinstance(value, str) else None


def sign_of(part: Any) -> str:
    """Return one sign of `why` as a cell holds it; an empty string where it is none.

    >>> sign_of({"cue": "gap", "weight": 1.2})
    'gap +1.20'
    """
    if not isinstance(part, dict) or part.keys() != {"cue", "weight"}:
        return ""
    cue, weight = part["cue"], part["weight"]
    if not isinstance(cue, str) or not isinstance(weight, int | float) or not abs(weight) < 1000:
        return ""
    return f"{' '.join(cue.replace(';', ',').split())} {weight:+.2f}"


def takes(key: str) -> str:
    """Return what a key of a signal takes, for a message."""
    kinds = {
        "start": "a whole number",
        "end": "a whole number",
        "confidence": "a number from 0 to 1",
        "headline": "true or false",
        "issues": "a list of codes",
        "talks": "a list of codes",
        "forward": '{"text": …, "date": …} or null',
        "why": '[{"cue": …, "weight": …}, …]',
    }
    return kinds.get(key, "text or null")


def is_whole(text: str) -> bool:
    """Return whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
