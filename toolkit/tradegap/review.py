"""Third stage: signals and a person's decisions in, accepted signals out.

A ledger `review.jsonl` holds one decision a line and only ever grows. A negotiation has one for its
published notes and, in `private/`, which git ignores, one for an analyst's own documents, since a
decision holds the whole sentence. A person's word on a sentence stands: once a sentence has been
decided, what is accepted of it is exactly what the ledger says, whatever the coder of the day finds
there. Sentences that nobody has decided keep their coded signals, marked as unreviewed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tradegap.coding.claims import BUILT_IN, OTHER_SOURCES
from tradegap.documents import Document, load_documents
from tradegap.documents.store import LEDGER, PRIVATE, ignore_folder
from tradegap.errors import DataError
from tradegap.tables import Field, conform, declared_tables, empty, split_list
from tradegap.talks import read_issues, read_negotiation, read_parties

__all__ = ["LEDGERS", "accept_signals", "check_ledger", "read_ledger", "record_decisions"]

LEDGERS = (LEDGER, f"{PRIVATE}/{LEDGER}")
SENTENCE = ["sha256", "start", "end"]
JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "date": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
VERDICTS = {"confirm": "confirmed", "correct": "corrected", "add": "added"}


def read_ledger(folder: Path) -> pd.DataFrame:
    """Return one row per decision of a negotiation: on its notes, then on private documents.

    Of one document they come in the order in which they were taken. A ledger that is not there is
    an empty one. Raises DataError with file and line of each fault.
    """
    paths = [folder / name for name in LEDGERS]
    frames = [frame for path in paths if len(frame := read_decisions(path))]
    return pd.concat(frames, ignore_index=True) if frames else empty("decisions")


def read_decisions(path: Path) -> pd.DataFrame:
    """Return one row per decision of one ledger."""
    if not path.is_file():
        return empty("decisions")
    columns = declared_tables()["decisions"].columns
    rows, faults = [], []
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "nested too deeply")
            faults.append(f"{path}:line {number}: is no JSON ({reason}); one decision a line")
            continue
        wrong = sorted(set(columns) ^ set(row)) if isinstance(row, dict) else columns
        if wrong:
            faults.append(f"{path}:line {number}: lacks or does not know {', '.join(wrong)}")
            continue
        faults += [
            f"{path}:line {number}: '{each.name}' {problem}"
            for each in declared_tables()["decisions"].fields
            if (problem := json_fault(each, row[each.name]))
        ]
        rows.append(row)
    if faults:
        raise DataError(faults)
    return conform(pd.DataFrame(rows, columns=columns), "decisions") if rows else empty("decisions")


def numbered_lines(path: Path) -> list[tuple[int, str]]:
    """Return one (number, line) per line of a ledger that is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from None
    # Not splitlines: a sentence may hold characters that only Unicode takes for a line's end.
    return [(at, line) for at, line in enumerate(text.split("\n"), start=1) if line.strip()]


def json_fault(field: Field, value: object) -> str:
    """Return what is wrong with one value of a decision; an empty string if nothing is."""
    fits = isinstance(value, JSON_TYPES[field.type]) or (value is None and field.type == "date")
    if not fits or (isinstance(value, bool) and field.type != "boolean"):
        return f"found {json.dumps(value)[:60]}; it takes a {field.type} as JSON writes it"
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return "found half a character (a lone surrogate); write it anew"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return field.fault("" if value is None else text)


def record_decisions(talks: str, decisions: pd.DataFrame) -> None:
    """Append decisions to a negotiation's ledgers, a line each; what stood there is never changed.

    Decisions on published notes go into `review.jsonl`, all others into `private/review.jsonl`.
    Raises DataError, and writes nothing, where a sentence does not stand in the documents.
    """
    folder = read_negotiation(talks).folder
    texts = {each.sha256: each for each in load_documents(folder)}
    rows = conform(decisions, "decisions")
    astray = [
        f"{row.document}: '{row.text[:60]}' does not stand at {row.start}-{row.end} of a document"
        f" of {talks}; take document, sha256, start, end and text from its signals"
        for row in rows.itertuples()
        if row.sha256 not in texts or texts[row.sha256].text[row.start : row.end] != row.text
    ]
    if astray:
        raise DataError(astray)
    is_private = rows["sha256"].map(lambda sha256: texts[sha256].is_private).astype(bool)
    if is_private.any():
        ignore_folder(folder / PRIVATE)
    for name, own in zip(LEDGERS, (rows[~is_private], rows[is_private]), strict=True):
        append_decisions(folder / name, own)


def append_decisions(path: Path, rows: pd.DataFrame) -> None:
    """Append one line per decision to a ledger."""
    lines = []
    for row in rows.to_dict("records"):
        dated = {
            key: (None if pd.isna(value) else f"{value:%Y-%m-%d}")
            if isinstance(value, pd.Timestamp) or value is pd.NaT
            else value
            for key, value in row.items()
        }
        lines.append(json.dumps(dated, ensure_ascii=False) + "\n")
    if not lines:
        return
    with path.open("a", encoding="utf-8") as ledger:
        ledger.write("".join(lines))
        ledger.flush()
        os.fsync(ledger.fileno())


def accept_signals(
    signals: pd.DataFrame, decisions: pd.DataFrame, documents: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per accepted signal: signals as decided, and undecided ones as coded.

    `documents` says which document of each signal is private and which story it tells. A decision
    on a document that is not there has no effect. A decided signal has confidence 1 and no coder:
    what stands is the person's word. Without a column `coder` the built-in coder found them all.
    """
    decided = decisions[decisions["sha256"].isin(set(documents["sha256"]))]
    added = "+" + decided["direction"]
    subject = decided["coded_direction"].where(decided["coded_direction"] != "", added)
    latest = decided.assign(subject=subject).drop_duplicates(
        [*SENTENCE, "subject", "talks"], keep="last"
    )
    stands = latest[latest["decision"] != "reject"]
    stands = stands.assign(review=stands["decision"].map(VERDICTS), confidence=1.0, coder="")
    stands = stands.drop_duplicates([*SENTENCE, "direction", "talks"], keep="last")
    touched = pd.MultiIndex.from_frame(decided[SENTENCE])
    untouched = signals[~pd.MultiIndex.from_frame(signals[SENTENCE]).isin(touched)]
    untouched = untouched.assign(review="unreviewed", coder=untouched.get("coder", BUILT_IN))
    frames = [each for each in (stands, untouched) if len(each)]
    if not frames:
        return empty("accepted_signals")
    about = documents.set_index("sha256")[["document", "publisher", "story", "is_private"]]
    accepted = (
        pd.concat(frames, ignore_index=True)
        .drop(columns="document")
        .join(about, on="sha256")
        .sort_values(["published", "document", "start", "direction", "talks"], kind="stable")
    )
    return conform(accepted, "accepted_signals")


def check_ledger(path: Path, documents: Sequence[Document]) -> list[str]:
    """Return the faults of a ledger against the documents that it speaks of, one line each.

    A sentence that has changed since it was decided is one, and so is a decision on anything but a
    note in a ledger that git would publish. A document of a person's own that is not in this copy
    is none.
    """
    decisions = read_decisions(path)
    is_public = path.parent.name != PRIVATE
    if decisions.empty:
        return []
    texts = {each.sha256: each for each in documents}
    parties = set(read_parties()["party"])
    codes = {
        "issues": set(read_issues()["issue_id"]),
        "talks": parties,
        "party": parties | OTHER_SOURCES,
    }
    faults = []
    numbers = [number for number, _ in numbered_lines(path)]
    for number, row in zip(numbers, decisions.itertuples(), strict=True):
        for column, known_codes in codes.items():
            for code in split_list(getattr(row, column)):
                if code not in known_codes:
                    faults.append(
                        f"{path}:line {number}: '{column}' found '{code}'; it takes"
                        f" {', '.join(sorted(known_codes))}"
                    )
        document = texts.get(row.sha256)
        if is_public and not row.document.startswith("notes/"):
            faults.append(
                f"{path}:line {number}: decides on {row.document}, which is no published note, and"
                f" quotes it; move the line to {LEDGERS[1]}, which git ignores"
            )
        if document and document.text[row.start : row.end] != row.text:
            faults.append(
                f"{path}:line {number}: '{row.text[:60]}' does not stand in {document.name}"
                f" at {row.start}-{row.end}; decide that sentence again"
            )
    known = {each.name: each.sha256 for each in documents if not each.is_private}
    for name, sha256 in decisions[["document", "sha256"]].drop_duplicates().to_numpy():
        if name in known and known[name] != sha256:
            faults.append(f"{path}: {name} has changed since it was reviewed; review it again")
        elif name.startswith("notes/") and name not in known:
            faults.append(f"{path}: {name} is not there; bring the note back or take it out")
    return faults
