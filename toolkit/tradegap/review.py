"""Third stage: signals and a person's decisions in, accepted signals out.

The ledger `review.jsonl` of a negotiation holds one decision a line and only ever grows. A person's
word on a sentence stands: once a sentence has been decided, what is accepted of it is exactly what
the ledger says, whatever the coder of the day finds there. Sentences that nobody has decided keep
their coded signals, marked as unreviewed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tradegap.coding.claims import BUILT_IN, OTHER_SOURCES
from tradegap.documents import Document
from tradegap.errors import DataError
from tradegap.tables import Field, conform, declared_tables, empty, split_list
from tradegap.talks import read_issues, read_parties

__all__ = ["accept_signals", "check_ledger", "read_ledger", "record_decisions"]

SENTENCE = ["sha256", "start", "end"]
JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "date": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
VERDICTS = {"confirm": "confirmed", "correct": "corrected", "add": "added"}


def read_ledger(path: Path) -> pd.DataFrame:
    """Return one row per decision, in the order in which they were taken.

    A ledger that is not there is an empty one. Raises DataError with file and line of each fault.
    """
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


def record_decisions(path: Path, decisions: pd.DataFrame) -> None:
    """Append decisions to a ledger, each as one line; what stood there is never rewritten."""
    rows = conform(decisions, "decisions")
    lines = []
    for row in rows.to_dict("records"):
        dated = {
            key: (None if pd.isna(value) else f"{value:%Y-%m-%d}")
            if isinstance(value, pd.Timestamp) or value is pd.NaT
            else value
            for key, value in row.items()
        }
        lines.append(json.dumps(dated, ensure_ascii=False) + "\n")
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

    A document of a person's own that is not in this copy is no fault; a sentence that has changed
    since it was decided is one.
    """
    decisions = read_ledger(path)
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
