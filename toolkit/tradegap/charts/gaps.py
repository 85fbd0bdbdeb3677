"""Sixth stage, over time: the gap of each issue, and of the talks as a whole, with their bands."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tradegap.charts.look import COLOURS, INK, MUTED, PAPER, styled
from tradegap.charts.series import (
    band_and_line,
    by_period,
    find_stretches,
    tell_silence,
    thin_out,
    time_axis,
)
from tradegap.charts.words import day_text, issue_order, sentence_ids, tell_trend
from tradegap.gaps import WEIGHTINGS, combine_gaps
from tradegap.record import Record
from tradegap.talks import read_issues

__all__ = ["chart_gaps", "chart_whole"]

DIRECTIONS = ["closed", "narrowing", "open", "widening"]


def chart_gaps(record: Record, *, view: str = "then", least_signals: int = 0) -> alt.TopLevelMixin:
    """Return the gap over time with its 90 % band, one panel an issue.

    Dots are signals, linked to their sentences; grey lines are milestones. From the day an issue is
    deferred or dropped its line is dashed; after a silence it ends. `view` is "then" or
    "hindsight": whose band is drawn; the other view is a thin line. An issue that fewer than
    `least_signals` signals name has no panel: its line is that of the whole, by and large.
    """
    names = read_issues()[["issue_id", "issue"]]
    spoken = find_stretches(record.gaps)
    every = record.gaps.merge(spoken, on=["issue_id", "on"]).merge(names, on="issue_id")
    every = every.assign(
        on=lambda rows: rows["on"].dt.tz_localize("UTC"),
        phase=lambda rows: (rows["status"] == "negotiated").map({True: "talks", False: "after"}),
    )
    gaps, other = every[every["view"] == view], every[every["view"] != view]
    beside = thin_out(other[other["status"] == "negotiated"])
    dated = "known_on" if view == "then" else "happened_on"
    dots = record.evidence.query("said_of == issue_id").merge(names, on="issue_id")
    dots = dots.assign(
        on=dots[dated].dt.tz_localize("UTC").clip(gaps["on"].min(), gaps["on"].max()),
        link="#" + sentence_ids(dots),
        said=dots["direction"] + ", " + dots[dated].map(day_text),
    ).merge(gaps[["issue_id", "on", "gap"]], on=["issue_id", "on"])
    # Reports of one day that say the same would lie on each other: one mark leads to the first.
    dots = dots.drop_duplicates(["issue_id", "on", "direction"])
    milestones = record.negotiation.milestones
    milestones = milestones[milestones["reached_on"] <= pd.Timestamp(record.as_of)]
    lines = milestones.assign(on=milestones["reached_on"].dt.tz_localize("UTC"))
    days, x = time_axis(pd.concat([gaps["on"], lines["on"]]), ticks=6)
    height = alt.Scale(domain=[0, 1])
    panels = []
    counts = (
        record.evidence.query("said_of == issue_id")["issue_id"]
        .map(names.set_index("issue_id")["issue"])
        .value_counts()
    )
    order = issue_order(record)
    drawn = [issue for issue in order if counts.get(issue, 0) >= least_signals] or order[:1]
    left_out = [issue for issue in order if issue not in drawn]
    for issue in drawn:
        own, marks = gaps[gaps["issue"] == issue], dots[dots["issue"] == issue]
        band, line = band_and_line(own, x)
        line = line.encode(
            strokeDash=alt.StrokeDash(
                "phase:N",
                scale=alt.Scale(domain=["talks", "after"], range=[[1, 0], [4, 3]]),
                legend=None,
            )
        )
        thin = (
            alt.Chart(beside.loc[beside["issue"] == issue, ["on", "gap"]])
            .mark_line(color=INK, strokeWidth=1, strokeDash=[1, 2], aria=False)
            .encode(x=x, y=alt.Y("gap:Q", scale=height))
        )
        bounds = (
            alt.Chart(lines[["on"]])
            .mark_rule(color=MUTED, strokeWidth=1, strokeDash=[2, 3], aria=False)
            .encode(x=x)
        )
        points = (
            alt.Chart(marks[["on", "gap", "direction", "link", "said"]])
            .mark_point(filled=True, size=64, opacity=1, stroke=PAPER, strokeWidth=0.8)
            .encode(
                x=x,
                y=alt.Y("gap:Q", scale=height),
                href="link:N",
                description="said:N",
                color=alt.Color(
                    "direction:N",
                    title="A signal says",
                    scale=alt.Scale(
                        domain=DIRECTIONS,
                        range=[COLOURS[name] for name in DIRECTIONS],
                    ),
                    legend=alt.Legend(orient="bottom"),
                ),
                shape=alt.Shape(
                    "direction:N",
                    title="A signal says",
                    scale=alt.Scale(
                        domain=DIRECTIONS,
                        range=["circle", "triangle-down", "square", "triangle-up"],
                    ),
                ),
            )
        )
        panels.append(
            alt.layer(bounds, band, thin, line, points).properties(
                width=430, height=120, title=alt.TitleParams(issue, anchor="start")
            )
        )
    then = "As known then: nothing published later is used"
    later = "everything published is used for every day"
    return styled(
        alt.concat(*panels, columns=2, spacing={"row": 18, "column": 28}).properties(
            description=describe_gaps(record, view),
            usermeta={
                "span": days,
                "caption": (
                    f"{then}. The fine dotted line is the gap with hindsight: {later}. "
                    if view == "then"
                    else f"With hindsight: {later}. The fine dotted line is the gap as known then. "
                )
                + "1 is as far apart as at the start, 0 is agreed; the band holds the gap with 90 %"
                " probability under the model. Upright dotted lines are milestones, named in the"
                " picture above; a line goes dashed where the issue was settled, deferred or"
                " dropped. A dot leads to its sentence."
                + (
                    f" Not drawn, for fewer than {least_signals} signals name them:"
                    f" {', '.join(left_out)}."
                    if left_out
                    else ""
                )
                + tell_silence(spoken),
                "table": by_period(
                    gaps.assign(series=gaps["issue"]), issue_order(record), "The gap at each end of"
                ),
            },
        )
    )


def chart_whole(record: Record) -> alt.TopLevelMixin:
    """Return the gap of the talks as a whole over time, by three weightings side by side."""
    whole = combine_gaps(record.gaps, record.negotiation)
    whole = whole[whole["view"] == "then"].assign(
        issue_id=lambda rows: rows["weighting"],
        status="",
        series=lambda rows: "By " + rows["weighting"].map(WEIGHTINGS),
        on=lambda rows: rows["on"].dt.tz_localize("UTC"),
    )
    days, x = time_axis(whole["on"])
    panels = [
        alt.layer(*band_and_line(own, x)).properties(
            width=270, height=110, title=alt.TitleParams(name, anchor="start")
        )
        for name, own in whole.groupby("series", sort=False)
    ]
    said = "; ".join(
        f"{name[0].lower()}{name[1:]} it {tell_trend(rows['gap'])}, band now"
        f" {rows['gap_low'].iloc[-1]:.2f} to {rows['gap_high'].iloc[-1]:.2f}"
        for name, rows in whole.groupby("series", sort=False)
    )
    return styled(
        alt.concat(*panels, columns=3, spacing=24).properties(
            description=f"Gap of the talks as a whole over time: {said}.",
            usermeta={
                "span": days,
                "caption": "The weighted mean gap of the issues as known then, with its 90 % band."
                " By trade, an issue weighs the largest flow in dollars on record for it; one"
                " without such a figure weighs nothing.",
                "table": by_period(
                    whole,
                    list(dict.fromkeys(whole["series"])),
                    "The gap of the whole at each end of",
                ),
            },
        )
    )


def describe_gaps(record: Record, view: str) -> str:
    """Return the text alternative of the gap over time."""
    gaps = record.gaps[record.gaps["view"] == view].merge(read_issues(), on="issue_id")
    said = [
        f"{issue} {tell_trend(rows['gap'])}, {rows['status'].iloc[-1]}"
        for issue, rows in gaps.groupby("issue", sort=False)
    ]
    return "Gap over time with its band, a panel an issue. " + "; ".join(said) + "."
