"""Beside the charts over time: days thinned out, a time axis, a band with its line, a table."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from tradegap.charts.look import COLOURS
from tradegap.charts.words import in_prose
from tradegap.talks import read_issues

__all__ = [
    "SILENT_DAYS",
    "band_and_line",
    "by_period",
    "find_stretches",
    "tell_silence",
    "thin_out",
    "time_axis",
]

UNSEEN = 0.009  # of the gap: less than a pixel on a panel of 120
FAINT = 3  # times as far may the pale edge of a band be off
SILENT_DAYS = 90  # so long after the last report a line is no longer drawn
THIN = 0.5  # share of silent days from which the record on an issue is thin
MOST_ROWS = 30  # months of a table; longer talks are told by quarters or years
PERIODS = [("M", "month", "%B %Y"), ("Q", "quarter", "%B %Y"), ("Y", "year", "%Y")]


def thin_out(
    gaps: pd.DataFrame, columns: tuple[str, ...] = ("gap",), unseen: float = UNSEEN
) -> pd.DataFrame:
    """Return the days at which a line bends, an issue's days in order.

    Between the days that stay, straight lines are nowhere further off than the eye can see.
    """
    kept = []
    for _, rows in gaps.groupby("issue_id", sort=False):
        stays = bends(rows[list(columns)].to_numpy(float), unseen)
        turns = (rows["status"] != rows["status"].shift()).to_numpy()
        kept.append(rows[stays | turns])
    return pd.concat(kept) if kept else gaps


def bends(values: Any, unseen: float) -> Any:
    """Return which rows are needed to draw all columns by straight lines.

    >>> bends(np.array([[0.0], [0.1], [0.2], [0.9], [0.9]]), 0.01).tolist()
    [True, False, True, True, True]
    """
    stays = np.zeros(len(values), dtype=bool)
    stays[[0, -1]] = True
    spans = [(0, len(values) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        share = np.linspace(0, 1, last - first + 1)[:, None]
        straight = values[first] + share * (values[last] - values[first])
        off = np.abs(values[first : last + 1] - straight).max(axis=1)
        worst = int(off.argmax())
        if off[worst] > unseen:
            stays[first + worst] = True
            spans += [(first, first + worst), (first + worst, last)]
    return stays


def time_axis(days: pd.Series, *, ticks: int = 4) -> tuple[str, alt.X]:
    """Return the first and last of some days, and the time axis that runs from one to the other."""
    ends = [days.min(), days.max()]
    scale = alt.Scale(type="utc", domain=[each.isoformat() for each in ends])
    axis = alt.Axis(format="%b %y", grid=False, tickCount=ticks)
    return " ".join(f"{each:%Y-%m-%d}" for each in ends), alt.X(
        "on:T", scale=scale, title=None, axis=axis
    )


def band_and_line(rows: pd.DataFrame, x: alt.X) -> tuple[Any, Any]:
    """Return the band of one issue's days and the line in it, each thinned out."""
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(tickCount=3)
    edges = thin_out(rows, ("gap_low", "gap_high"), FAINT * UNSEEN)
    band = (
        alt.Chart(edges[["on", "gap_low", "gap_high"]])
        .mark_area(color=COLOURS["accent"], opacity=0.18, aria=False)
        .encode(x=x, y=alt.Y("gap_low:Q", scale=scale, title=None, axis=axis), y2="gap_high:Q")
    )
    spoken = rows[rows["stretch"] > 0] if "stretch" in rows else rows.assign(stretch=1)
    parts = [thin_out(part) for _, part in spoken.groupby("stretch")]
    bends = pd.concat(parts) if parts else spoken
    line = (
        alt.Chart(bends[["on", "gap", "stretch", *({"phase"} & {*bends})]])
        .mark_line(color=COLOURS["accent"], strokeWidth=2, aria=False)
        .encode(x=x, y=alt.Y("gap:Q", scale=scale, title=None, axis=axis), detail="stretch:N")
    )
    return band, line


def find_stretches(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return one row per issue and day: the stretch of reports that it is in, 0 in a silence.

    A silence begins SILENT_DAYS after the last report on the issue and ends with the next one, or
    when the issue is settled.
    """
    rows = gaps.loc[gaps["view"] == "then", ["issue_id", "on", "signals", "status"]]
    before = rows.groupby("issue_id")["signals"].shift(fill_value=0)
    last = rows["on"].where(rows["signals"] > before).groupby(rows["issue_id"]).ffill()
    talks = rows["status"] == "negotiated"
    silent = talks & ~(rows["on"] - last <= pd.Timedelta(days=SILENT_DAYS))
    starts = silent != silent.groupby(rows["issue_id"]).shift()
    number = starts.groupby(rows["issue_id"]).cumsum()
    return rows[["issue_id", "on"]].assign(
        silent=silent, talks=talks, stretch=number.where(~silent, 0)
    )


def tell_silence(stretches: pd.DataFrame) -> str:
    """Return on which issues the record is thin, as an end to a caption; nothing for none."""
    talks = stretches[stretches["talks"]].merge(read_issues(), on="issue_id")
    share = talks.groupby("issue", sort=False)["silent"].mean()
    thin = [in_prose(name) for name in share[share >= THIN].index]
    if not talks["silent"].any():
        return ""
    told = f" No line is drawn where nothing was reported for {SILENT_DAYS} days."
    return told + (
        f" That is so most of the time on {', '.join(thin)}: the record is thin." if thin else ""
    )


def by_period(rows: pd.DataFrame, series: list[str], caption: str) -> dict[str, Any]:
    """Return the last reading of each month, quarter or year as a table, a series a column."""
    days = rows["on"].dt.tz_localize(None)
    counts = [days.dt.to_period(code).nunique() for code, _, _ in PERIODS]
    fits = next((n for n, count in enumerate(counts) if count <= MOST_ROWS), -1)
    code, word, style = PERIODS[fits]
    periods = days.dt.to_period(code)
    last = (
        rows.assign(period=periods)
        .sort_values("on")
        .drop_duplicates(["period", "series"], keep="last")
    )
    wide = last.pivot(index="period", columns="series", values="gap").reindex(columns=series)
    return {
        "caption": f"{caption} a {word}; each day, with its band, is in the CSV of this page",
        "columns": [word.capitalize(), *series],
        "rows": [
            [f"{period.end_time:{style}}", *("–" if pd.isna(v) else f"{v:.2f}" for v in values)]
            for period, values in zip(wide.index, wide.to_numpy(), strict=True)
        ],
    }
