"""Beside the charts: how days, readings and places on a page are written."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tradegap.record import Record, read_rounds
from tradegap.talks import read_issues

__all__ = [
    "cell_links",
    "day_text",
    "in_prose",
    "issue_order",
    "read_out",
    "sentence_ids",
    "tell_trend",
]


def sentence_ids(rows: pd.DataFrame) -> pd.Series:
    """Return the anchor of each signal's sentence on a page."""
    return "s-" + rows["sha256"].str[:8] + "-" + rows["start"].astype(str)


def cell_links(record: Record) -> pd.DataFrame:
    """Return one row per round and issue: the anchor of the evidence that moved it last.

    `spoken` is the round itself where the issue was spoken of since the round before, else the
    latest at which it was; "" for an issue that nobody has spoken of.
    """
    cells = read_rounds(record)[["round_id", "round", "issue_id", "on"]].sort_values("on")
    direct = record.evidence.query("said_of == issue_id").sort_values("known_on")
    heard = pd.merge_asof(
        direct[["issue_id", "known_on"]],
        cells.rename(columns={"on": "known_on"}),
        on="known_on",
        by="issue_id",
        direction="forward",
    )
    heard = heard.drop_duplicates(["issue_id", "round_id"]).assign(spoken=heard["round_id"])
    cells = cells.merge(heard[["issue_id", "round_id", "spoken"]], "left", ["issue_id", "round_id"])
    cells["spoken"] = cells.groupby("issue_id")["spoken"].ffill().fillna("")
    spoken = cells["spoken"] != ""
    anchors = (cells["issue_id"] + "-" + cells["spoken"]).where(
        spoken, "evidence-" + cells["issue_id"]
    )
    return cells.assign(anchor=anchors)


def day_text(day: Any) -> str:
    """Return a day as people write it, in one piece.

    >>> day_text(pd.Timestamp("2019-08-02")).split("\N{NO-BREAK SPACE}")
    ['2', 'August 2019']
    """
    return f"{day.day}\N{NO-BREAK SPACE}{day:%B %Y}"


def in_prose(issue: str) -> str:
    """Return an issue's name as it stands in a sentence: abbreviations keep their capitals.

    >>> in_prose("Auto parts"), in_prose("Rules of origin"), in_prose("SPS measures")
    ('auto parts', 'rules of origin', 'SPS measures')
    """
    return issue if issue[:2].isupper() else issue[:1].lower() + issue[1:]


def read_out(row: Any) -> str:
    """Return one reading as a line: the issue, the day, the gap and its band."""
    if row.status != "negotiated":
        return f"{row.issue}, {short_day(row.on)}: {row.status}"
    return f"{row.issue}, {short_day(row.on)}: {row.gap:.2f} ({row.gap_low:.2f}–{row.gap_high:.2f})"


def short_day(day: Any) -> str:
    """Return a day as people write it where there is little room.

    >>> short_day(pd.Timestamp("2019-08-02"))
    '2 Aug 2019'
    """
    return f"{day.day} {day:%b %Y}"


def issue_order(record: Record) -> list[str]:
    """Return the issues' names, the weightiest first, the talks as a whole above them."""
    issues = record.negotiation.issues.merge(read_issues(), on="issue_id")
    whole = issues["issue_id"] == "overall"
    ordered = issues.assign(whole=whole).sort_values(
        ["whole", "salience"], ascending=False, kind="stable"
    )
    return list(ordered["issue"])


def tell_trend(values: pd.Series) -> str:
    """Return in words how a series went, from where to where and how far.

    >>> tell_trend(pd.Series([0.9, 0.3, 0.4]))
    'falls from 0.90 to 0.40, between 0.30 and 0.90'
    """
    first, last = values.iloc[0], values.iloc[-1]
    trend = "falls" if last < first - 0.05 else "rises" if last > first + 0.05 else "holds"
    return (
        f"{trend} from {first:.2f} to {last:.2f}, between {values.min():.2f} and {values.max():.2f}"
    )
