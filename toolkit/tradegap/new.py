"""Beside the flow: a folder for a negotiation of one's own, with everything that its page needs."""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
import shutil
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from tradegap.each import join_words, name_party
from tradegap.errors import DataError
from tradegap.project import project_root
from tradegap.tables import declared_tables, split_list
from tradegap.talks import SHEETS, read_issues, read_parties

__all__ = ["begin_talks"]

HEAD = """\
# What the talks are. Lines that start with # are remarks; take the sign away to use one.
title: {title}
parties: [{parties}]  # codes of data/parties.csv
opened_on: {opened_on}  # from here on the gap is measured: 1 is as far apart as on this day
# ended_on: {opened_on}  # the day on which the talks ended; with it say how:
# outcome: agreed  # agreed, partly agreed, broken off or drifted
# mandate: What each side set out to get, in your own words.
# mandate_url: https://where.that.is.told
about: >-
  A folder begun on {today}. Say here what the record covers, whose view it hears, and where it is
  thin.
"""
README = """\
# {title}

Each file, what a row of it is, and what its columns take. Only `negotiation.yml` and `issues.csv`
need content; the other sheets may stay empty. A list in a cell is joined by `;`, dates are
YYYY-MM-DD. `tradegap check` names every fault with file and row.

## `notes/` and `private/`

What was published goes to one of two folders. `tradegap add {slug} FILE...` lays copies of articles
into `private/`, which git ignores. A note in your own words that may be published is a file
`notes/YYYY-MM-DD-publisher.md`, for instance:

    ---
    title: What the report is about
    published: {opened_on}
    publisher: Who published it
    source_url: https://where.it.was.published
    confidence: high
    ---

    What it says of the talks, in your own words, a sentence a claim.

## `review.jsonl`

Decisions of a person on what the coder found; `tradegap.record_decisions` writes them.
"""


def begin_talks(
    slug: str,
    parties: Sequence[str],
    *,
    title: str = "",
    opened_on: date | None = None,
    issues: Sequence[str] = (),
) -> Path:
    """Make the folder data/talks/<slug> and return it; it is there whole or not at all.

    Parties are codes, names or other names of data/parties.csv. Raises DataError with every fault
    of what was asked for, a folder of that name among them.
    """
    talks = project_root() / "data" / "talks"
    codes, faults = find_parties(parties)
    faults = slug_faults(slug, talks) + faults
    if len(set(codes)) < 2 and not faults:
        faults.append(f"--parties: found {', '.join(codes) or 'none'}; it takes two or more")
    known = list(read_issues()["issue_id"])
    for code in issues:
        if code not in known:
            faults.append(f"--issues: found '{code}'; data/issues.csv has {', '.join(known)}")
    if faults:
        raise DataError(faults)
    today = datetime.now(tz=UTC).date()
    told = {
        "slug": slug,
        "title": title or f"Talks between {join_words([name_party(code) for code in codes])}",
        "parties": ", ".join(json.dumps(code) for code in codes),
        "opened_on": opened_on or today,
        "today": today,
    }
    scratch = talks / f".new-{slug}"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        (scratch / "notes").mkdir(parents=True)
        head = HEAD.format(**told | {"title": json.dumps(told["title"], ensure_ascii=False)})
        (scratch / "negotiation.yml").write_text(head, encoding="utf-8")
        (scratch / "review.jsonl").write_text("", encoding="utf-8")
        (scratch / "README.md").write_text(
            README.format(**told) + "".join(map(explain_sheet, SHEETS)), encoding="utf-8"
        )
        for sheet in SHEETS:
            rows = [[code, "2"] for code in dict.fromkeys(["overall", *issues])]
            content = write_sheet(sheet, rows if sheet == "issues" else [])
            (scratch / f"{sheet}.csv").write_text(content, encoding="utf-8")
        scratch.rename(talks / slug)
    except OSError as error:
        shutil.rmtree(scratch, ignore_errors=True)
        raise DataError(f"data/talks/{slug}: cannot be written ({error.strerror})") from None
    return talks / slug


def slug_faults(slug: str, talks: Path) -> list[str]:
    """Return what is wrong with the name of a new folder."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", slug):
        return [f"SLUG: found '{slug}'; it takes small letters, digits and hyphens: us-japan-2019"]
    there = {
        unicodedata.normalize("NFKC", each.name).casefold(): each.name for each in talks.iterdir()
    }
    if slug in there:
        return [f"data/talks/{there[slug]}: is there already and stays as it is; take another name"]
    return []


def find_parties(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the codes of some parties, and a line for each that no list knows.

    >>> find_parties(["japan", "United States"])
    (['Japan', 'US'], [])
    """
    known: dict[str, str] = {}
    for row in read_parties().to_dict("records"):
        for name in (row["party"], row["party_name"], *split_list(row["aliases"])):
            known.setdefault(name.casefold(), row["party"])
    codes, faults = [], []
    for name in names:
        if code := known.get(name.strip().casefold()):
            codes.append(code)
            continue
        near = difflib.get_close_matches(name.casefold(), known, n=1)
        meant = f"did you mean {known[near[0]]!r}? otherwise " if near else ""
        faults.append(f"--parties: found '{name}'; {meant}add a row for it to data/parties.csv")
    return codes, faults


def write_sheet(sheet: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a sheet as CSV; cells that a row lacks are empty."""
    columns = declared_tables()["negotiation_issues" if sheet == "issues" else sheet].columns
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([*row, *[""] * (len(columns) - len(row))] for row in rows)
    return text.getvalue()


def explain_sheet(sheet: str) -> str:
    """Return what a sheet's rows and columns are, as Markdown."""
    table = declared_tables()["negotiation_issues" if sheet == "issues" else sheet]
    lines = ["", f"## `{sheet}.csv`", "", f"{table.title}.", ""]
    for each in table.fields:
        values = ", ".join(each.constraints.get("enum", []))
        need = "" if each.constraints.get("required") else " (may be empty)"
        lines.append(
            f"- `{each.name}`{need}: {each.description}" + (f"; one of {values}" if values else "")
        )
    return "\n".join(lines) + "\n"
