"""Beside the page specs: what one spec can be written for, and the words that its pages differ in.

`for_each: negotiations` makes a page a folder of data/talks, `main rounds` a page a round that much
was written about, `issues` a page an issue that several negotiations bargain over. The folders are
read here as plain text, so that listing the pages costs nothing; one that breaks its schema is
refused by the page that reads it.
"""

from __future__ import annotations

import csv
import re
import string
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

__all__ = ["KINDS", "fill", "join_words", "list_each", "name_party", "template_fault"]

ROUNDS_EACH = 2  # main rounds of one negotiation, at most
NOTES_LEAST = 2  # notes from which a round may be a main one
TALKS_LEAST = 3  # negotiations with an issue from which it has a page
WIDE = ("overall", "other")  # no issue of their own: what is other differs from talks to talks
KINDS = {
    "negotiations": ("talks", "title", "parties", "were", "when", "ended"),
    "main rounds": ("talks", "title", "parties", "round_id", "round", "days"),
    "issues": ("issue_id", "issue", "count"),
}
Row = dict[str, str]


def list_each(kind: str, root: Path) -> list[Row]:
    """Return one row per page to make, as the words that a template may use.

    A main round was held by leaders or ministers, has a result on record, and is of the two of its
    negotiation with the most notes, two at least, dated from its first day to the day after its
    last.
    """
    folders = sorted((root / "data" / "talks").glob("*/negotiation.yml"))
    if kind == "issues":
        return list_issues(root, [path.parent for path in folders])
    rows = []
    for path in folders:
        head = read_head(path)
        about = {
            "talks": path.parent.name,
            "title": str(head.get("title", path.parent.name)),
            "parties": join_words([name_party(str(each)) for each in listed(head, "parties")]),
        }
        if kind == "negotiations":
            rows.append(about | tell_time(head, path.parent))
        else:
            rows += [about | each for each in list_rounds(path.parent)]
    return rows


def list_rounds(folder: Path) -> list[Row]:
    """Return one row per main round of a negotiation, by date."""
    noted = [day for note in (folder / "notes").glob("*.md") if (day := read_day(note.name[:10]))]
    held = []
    for row in read_rows(folder / "rounds.csv"):
        first, last = read_day(row.get("held_on")), read_day(row.get("ended_on"))
        if not first or not last or row.get("level") == "working level" or not row.get("result"):
            continue
        notes = sum(first <= day <= last + timedelta(days=1) for day in noted)
        if notes >= NOTES_LEAST:
            held.append((-notes, first, last, row))
    main = sorted(held, key=lambda each: each[:3])[:ROUNDS_EACH]
    return [
        {
            "round_id": row["round_id"],
            "round": row["round"],
            "days": tell_days(first, last),
        }
        for _, first, last, row in sorted(main, key=lambda each: each[1:3])
    ]


def list_issues(root: Path, folders: list[Path]) -> list[Row]:
    """Return one row per issue of data/issues.csv that three negotiations or more bargain over."""
    counts = Counter(
        code
        for folder in folders
        for code in {row.get("issue_id", "") for row in read_rows(folder / "issues.csv")}
    )
    return [
        {"issue_id": code, "issue": row.get("issue", code), "count": str(counts[code])}
        for row in read_rows(root / "data" / "issues.csv")
        if counts[code := row.get("issue_id", "")] >= TALKS_LEAST and code not in WIDE
    ]


def tell_time(head: Mapping[str, Any], folder: Path) -> Row:
    """Return when the talks were held, in words that fit a question.

    Talks that drifted off without a day of their own lasted until the last thing on record.
    """
    first, last = head.get("opened_on"), head.get("ended_on")
    if not head.get("outcome") or type(first) is not date:
        return {"were": "are", "when": "now", "ended": "is the gap closing"}
    days = [
        read_day(row.get(column))
        for sheet, column in (("rounds", "ended_on"), ("milestones", "reached_on"))
        for row in read_rows(folder / f"{sheet}.csv")
    ]
    if type(last) is not date:
        last = max([day for day in days if day], default=first)
    same = first.year == last.year
    when = f"in {first.year}" if same else f"from {first.year} to {last.year}"
    return {"were": "were", "when": when, "ended": "how did it end"}


def tell_days(first: date, last: date) -> str:
    """Return the days of a round.

    >>> tell_days(date(2019, 8, 21), date(2019, 8, 23))
    '21–23 August 2019'
    """
    if first == last:
        return f"{last.day} {last:%B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%B %Y}"
    start = f"{first:%B}" if first.year == last.year else f"{first:%B %Y}"
    return f"{first.day} {start} to {last.day} {last:%B %Y}"


def name_party(party: str) -> str:
    """Return a party as prose names it.

    >>> name_party("US"), name_party("Japan")
    ('the US', 'Japan')
    """
    return f"the {party}" if party in ("US", "EU", "UK") else party


def join_words(parts: list[str]) -> str:
    """Return parts as prose joins them.

    >>> join_words(["autos", "beef", "data"])
    'autos, beef and data'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def fill(template: Any, row: Row) -> Any:
    """Return a template, or what it is made up of, with a row's words put in.

    >>> fill({"talks": "{talks}", "days": [3, "{talks}!"]}, {"talks": "us-japan-2019"})
    {'talks': 'us-japan-2019', 'days': [3, 'us-japan-2019!']}
    """
    if isinstance(template, str):
        return template.format_map(row)
    if isinstance(template, dict):
        return {key: fill(value, row) for key, value in template.items()}
    return [fill(value, row) for value in template] if isinstance(template, list) else template


def template_fault(template: Any, kind: str) -> str:
    """Return what is wrong with a template; nothing where it can be filled.

    >>> template_fault("How far on {topic}?", "issues")
    'has no word {topic} to put in; for each of the issues there are {issue_id}, {issue}, {count}'
    >>> template_fault("{issue", "issues")
    "is no template (expected '}' before end of string); write {{ for a brace"
    """
    if isinstance(template, dict | list):
        parts = template.values() if isinstance(template, dict) else template
        return next((fault for each in parts if (fault := template_fault(each, kind))), "")
    if not isinstance(template, str):
        return ""
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"is no template ({error}); write {{{{ for a brace"
    for _, name, form, conversion in pieces:
        if name is not None and (name not in KINDS[kind] or form or conversion):
            known = ", ".join(f"{{{each}}}" for each in KINDS[kind])
            return f"has no word {{{name}}} to put in; for each of the {kind} there are {known}"
    return ""


def read_head(path: Path) -> dict[str, Any]:
    """Return what a negotiation.yml says, as it stands; nothing where it cannot be read."""
    try:
        found = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV file as they stand; none where it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if None not in {*row, *row.values()}]
    except (OSError, ValueError, csv.Error):
        return []
    return rows


def read_day(text: Any) -> date | None:
    """Return a day as its text says; None for no day."""
    found = re.fullmatch(r"\d{4}-\d\d-\d\d", str(text))
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def listed(head: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list that a mapping holds; an empty one where it holds something else."""
    found = head.get(key)
    return found if isinstance(found, list) else []
