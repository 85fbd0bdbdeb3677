"""Last stage: a page's figures in, its latest reading out: what the home page and the feed tell.

It knows no measure: `tables.yml` says under `reading` which column of a table is read, and where.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tradegap.tables import Table, declared_tables, split_list

__all__ = ["find_table", "read_reading"]

POINTS = 48  # of a series, as many as a small chart shows
MOVE = 0.05  # by how much a reading has changed where it is worth telling
MOVES = 5  # the latest changes that are told of one page


def find_table(header: Sequence[str]) -> Table | None:
    """Return the declared table that has exactly these columns; None where there is none.

    >>> find_table(["issue_id", "issue", "definition"]).name
    'issues'
    """
    return next((each for each in declared_tables().values() if each.columns == [*header]), None)


def read_reading(figures: str) -> dict[str, Any]:
    r"""Return what a page's figures (CSV) say last: the table, the issues, and by its kind more.

    A series has its last value, points and moves; a single figure its value; codes are counted.

    >>> read_reading("issue_id,issue,definition\nautos,Autos,cars\n")
    {'table': 'issues', 'issues': ['autos']}
    """
    rows = csv.DictReader(io.StringIO(figures, newline=""))
    table = find_table(rows.fieldnames or [])
    if table is None:
        return {}
    how = table.reading
    issues, kept = set(), []
    for row in rows:
        issues.update(split_list(row.get("issue_id") or row.get("issues") or ""))
        if how and all(row[name] == value for name, value in how.get("where", {}).items()):
            kept.append(row)
    reading: dict[str, Any] = {"table": table.name, "issues": sorted(issues - {"overall"})}
    if not kept:
        return reading
    if on := how.get("on"):
        kept.sort(key=lambda row: row[on])
        reading["on"] = kept[-1][on]
    if "count" in how:
        order = next(each for each in table.fields if each.name == how["count"])
        counts = Counter(row[order.name] for row in kept)
        reading["counts"] = {
            code: counts[code] for code in order.constraints.get("enum", sorted(counts))
        }
        return reading
    last = values(kept[-1], how)
    state = kept[-1][how["state"]] if "state" in how else ""
    reading |= {"value": last, "state": "" if state == how.get("plain") else state}
    if on and len(kept) > 1:
        picked = sorted({round(n * (len(kept) - 1) / (POINTS - 1)) for n in range(POINTS)})
        points = [[kept[n][on], *values(kept[n], how)] for n in picked]
        reading["series"] = [" ".join(map(str, point)) for point in points]
        days = [[row[on], *values(row, how)] for row in kept]
        reading["moves"] = [" ".join(map(str, move)) for move in list_moves(days)]
    return reading


def values(row: Mapping[str, str], how: Mapping[str, Any]) -> list[float]:
    """Return the value of a row, and the ends of its band where it has one."""
    return [float(row[how[name]]) for name in ("value", "low", "high") if name in how]


def list_moves(days: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the latest days on which a reading had moved, each with the value told before it.

    >>> list_moves([["2019-01-01", 0.9], ["2019-01-02", 0.88], ["2019-01-03", 0.8]])
    [['2019-01-03', 0.9, 0.8]]
    """
    told, moves = days[0][1], []
    for on, value, *band in days[1:]:
        if round(abs(value - told), 6) >= MOVE:
            moves.append([on, told, value, *band])
            told = value
    return moves[-MOVES:]
