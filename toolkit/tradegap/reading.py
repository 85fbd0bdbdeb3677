"""Last stage: a page's figures in, its latest reading out: what the home page and the feed tell.

It knows no measure: `tables.yml` says under `reading` which column of a table is read, and where.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tradegap.tables import find_table, split_list

__all__ = ["read_reading"]

POINTS = 48  # of a series, as many as a small chart shows
MOVE = 0.05  # by how much a reading has changed where it is worth telling
MOVES = 5  # the latest changes that are told of one page


def read_reading(figures: str) -> dict[str, Any]:
    r"""Return what a page's figures (CSV) say last: the table, the issues, and by its kind more.

    A series has its last value, points and moves; a single figure its value; codes are counted; of
    several groups each has its points along a number.

    >>> read_reading("issue_id,issue,definition\nautos,Autos,cars\n")
    {'table': 'issues', 'issues': ['autos']}
    """
    rows = csv.DictReader(io.StringIO(figures, newline=""))
    table = find_table(rows.fieldnames or [])
    if table is None:
        return {}
    how = table.reading
    issues, talks, kept = set(), set(), []
    for row in rows:
        issues.update(split_list(row.get("issue_id") or row.get("issues") or ""))
        talks.add(row.get("talks") or "")
        if how and all(row[name] == value for name, value in how.get("where", {}).items()):
            kept.append(row)
    reading: dict[str, Any] = {"table": table.name, "issues": sorted(issues - {"overall"})}
    # A folder's name, and not the parties that a signal is about.
    if slugs := sorted(each for each in talks if re.fullmatch("[a-z][a-z0-9-]+", each)):
        reading["talks"] = slugs
    if not kept:
        return reading
    if "group" in how:
        reading["lines"] = {}
        for name in sorted({row[how["group"]] for row in kept}):
            own = [row for row in kept if row[how["group"]] == name]
            own.sort(key=lambda row: float(row[how["along"]]))
            line = [f"{float(row[how['along']])} {float(row[how['value']])}" for row in own]
            reading["lines"][name] = [line[n] for n in pick(len(line), POINTS // 2)]
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
        points = [[kept[n][on], *values(kept[n], how)] for n in pick(len(kept), POINTS)]
        reading["series"] = [" ".join(map(str, point)) for point in points]
        days = [[row[on], *values(row, how)] for row in kept]
        reading["moves"] = [" ".join(map(str, move)) for move in list_moves(days)]
    return reading


def pick(count: int, most: int) -> list[int]:
    """Return the places of at most so many of a count of things, evenly, first and last among them.

    >>> pick(10, 4), pick(2, 4)
    ([0, 3, 6, 9], [0, 1])
    """
    return sorted({round(n * (count - 1) / (most - 1)) for n in range(most)})


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
