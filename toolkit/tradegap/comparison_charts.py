"""Sixth stage, for several negotiations at once: their courses on the scales that they share."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tradegap.charts import COLOURS, INK, MUTED, SHAPES, SILENT_DAYS, STEPS, styled
from tradegap.comparison import Comparison, anchor
from tradegap.talks import read_issues
from tradegap.trial import APART, NEAR, ORDER

__all__ = ["chart_beside", "chart_by_round", "chart_endings", "chart_overlay"]

# What a course ends in: colour, and a sign that tells it without the colour.
ENDS = {
    "agreed": (COLOURS["closed"], "circle"),
    "partly agreed": (COLOURS["narrowing"], "square"),
    "deferred": (COLOURS["deferred"], "diamond"),
    "drifted": (COLOURS["open"], "triangle-up"),
    "dropped": (COLOURS["open"], "triangle-up"),
    "broken off": (COLOURS["widening"], "cross"),
    "going on": (COLOURS["accent"], "triangle-right"),
}
SCALES = {
    "share": ("Share of the days from opening to outcome", ".0%"),
    "to_end": ("Days to the outcome", "d"),
}
STEPS_ALONG = 40  # points of a course that are drawn in any case
BEND = 0.025  # and those at which it moves so far in a day
LAST_DAYS = 400  # how much of a course is drawn where all are aligned by their ends
SIGNS = {"agreed": "agreed", "partly agreed": "partly agreed", "deferred": "deferred"}
SIGNS |= dict.fromkeys(("dropped", "drifted", "broken off"), "dropped")


def chart_overlay(comparison: Comparison, *, along: str = "share") -> alt.TopLevelMixin:
    """Return all courses in one picture, on the scale `along`: "share" or "to_end".

    A line is drawn while there are reports; its end has the sign of the outcome and leads to the
    page of the negotiation.
    """
    rows = lines(comparison)
    if along == "to_end":
        rows = rows[rows["to_end"] >= -LAST_DAYS]
    title, form = SCALES[along]
    scale = alt.Scale(domain=[0, 1] if along == "share" else [-LAST_DAYS, 0])
    x = alt.X(
        f"{along}:Q", title=title, scale=scale, axis=alt.Axis(format=form, grid=False, tickCount=8)
    )
    y = alt.Y("gap:Q", title="Gap", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=3))
    colour, shape = end_scales(rows)
    base = alt.Chart(rows[[along, "gap", "line", "outcome", "is_this"]]).encode(
        x=x, y=y, detail="line:N", color=colour
    )
    ends = last_days(comparison)
    return styled(
        alt.layer(
            base.transform_filter("!datum.is_this").mark_line(
                strokeWidth=1.3, opacity=0.75, aria=False
            ),
            base.transform_filter("datum.is_this").mark_line(strokeWidth=4, aria=False),
            signs(ends, x, y, colour, shape, place=along),
        ).properties(
            width=760,
            height=330,
            description=describe(comparison, along),
            usermeta={
                "caption": "Each line is a negotiation: its gap as known then. It is drawn while"
                f" there are reports and stops {SILENT_DAYS} days after the last. The sign at its"
                " end is the outcome, at the gap of the day before, and leads to its page."
                f" The thick line is {name_of(comparison, comparison.this)}."
            },
        )
    )


def chart_beside(comparison: Comparison) -> alt.TopLevelMixin:
    """Return a small picture of each course with its band, all on the share of their days."""
    rows = lines(comparison)
    ends = last_days(comparison)
    x = alt.X(
        "share:Q",
        title=None,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", grid=False, ticks=False, values=[0, 0.5, 1]),
    )
    y = alt.Y(
        "gap:Q",
        title=None,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(tickCount=3, ticks=False, domain=False),
    )
    colour, shape = end_scales(rows)
    panels = []
    for talk in comparison.talks.itertuples():
        own = rows[rows["talks"] == talk.talks]
        base = alt.Chart(own[["share", "gap", "gap_low", "gap_high", "line"]]).encode(
            x=x, detail="line:N"
        )
        band = base.mark_area(color=COLOURS["accent"], opacity=0.18, aria=False).encode(
            y=alt.Y("gap_low:Q", scale=alt.Scale(domain=[0, 1]), title=None), y2="gap_high:Q"
        )
        line = base.mark_line(color=COLOURS["accent"], strokeWidth=1.8, aria=False).encode(y=y)
        sign = signs(ends[ends["talks"] == talk.talks], x, y, colour, shape, place="share")
        title = alt.TitleParams(
            talk.name,
            subtitle=f"{talk.days} days, {talk.rounds} rounds, {talk.outcome}",
            subtitleColor=MUTED,
            subtitleFontSize=11,
            anchor="start",
        )
        panels.append(alt.layer(band, line, sign).properties(width=225, height=95, title=title))
    return styled(
        alt.concat(*panels, columns=3, spacing={"row": 16, "column": 26}).properties(
            description=describe(comparison, "share"),
            usermeta={
                "caption": "The gap of each as known then, with the band that holds it with 90 %"
                " probability, from the opening (0 %) to the outcome (100 %). Where nothing was"
                f" reported for {SILENT_DAYS} days nothing is drawn."
            },
        )
    )


def chart_by_round(comparison: Comparison) -> alt.TopLevelMixin:
    """Return a row a negotiation and a column a round: the gap as known the day after it."""
    rows = comparison.rounds.merge(comparison.talks[["talks", "name"]], on="talks")
    rows = rows.assign(
        link="../gap_evolution/" + rows["talks"] + ".html" + anchor(comparison),
        reading=[
            f"{name}, after round {number}: gap {gap:.2f}"
            for name, number, gap in zip(rows["name"], rows["rounds"], rows["gap"], strict=True)
        ],
    )
    ends = comparison.talks.assign(rounds=comparison.talks["rounds"] + 1)
    ends = ends.assign(
        link="../gap_evolution/" + ends["talks"] + ".html" + anchor(comparison),
        reading=ends["name"] + ": " + ends["outcome"],
        sign=ends["outcome"].map(SIGNS),
    )
    y = alt.Y("name:N", sort=list(comparison.talks["name"]), title=None)
    x = alt.X("rounds:O", title="Round", axis=alt.Axis(orient="top", labelAngle=0))
    layers = [
        alt.Chart(rows[["name", "rounds", "gap", "link", "reading"]])
        .mark_square(size=500, opacity=1)
        .encode(
            x=x,
            y=y,
            href="link:N",
            description="reading:N",
            color=alt.Color(
                "gap:Q",
                title="Gap",
                scale=alt.Scale(type="threshold", domain=[0.2, 0.4, 0.6, 0.8], range=STEPS),
                legend=alt.Legend(orient="bottom", direction="horizontal", format=".1f"),
            ),
        )
    ]
    for sign, own in ends.groupby("sign"):
        layers.append(
            alt.Chart(own[["name", "rounds", "link", "reading"]])
            .mark_point(
                shape=SHAPES[str(sign)],
                size=220,
                filled=False,
                stroke=INK,
                strokeWidth=2,
                opacity=1,
            )
            .encode(x=x, y=y, href="link:N", description="reading:N")
        )
    told = "; ".join(
        f"{name}: " + ", ".join(f"{gap:.2f}" for gap in own["gap"])
        for name, own in rows.groupby("name", sort=False)
    )
    return styled(
        alt.layer(*layers).properties(
            width=alt.Step(27),
            height=alt.Step(27),
            description=f"The gap after each round, a row a negotiation. {told}.",
            usermeta={
                "caption": "Each square is the gap as known the day after a round: the stronger its"
                " colour, the further apart. The sign after the last round is the outcome: a tick"
                " agreed, in full or in part, two bars deferred, a cross drifted, dropped or broken"
                " off. Each leads to its page."
            },
        )
    )


def chart_endings(comparison: Comparison) -> alt.TopLevelMixin:
    """Return the gap that the index, not told, had for each issue the day before it ended."""
    names = comparison.talks.set_index("talks")["name"]
    issues = read_issues().set_index("issue_id")["issue"]
    rows = comparison.endings
    rows = rows.assign(
        link="../gap_evolution/" + rows["talks"] + ".html#evidence-" + rows["issue_id"],
        reading=rows["talks"].map(names)
        + ", "
        + rows["issue_id"].map(issues).str.lower()
        + ": "
        + rows["outcome"]
        + " at "
        + rows["gap"].map("{:.2f}".format)
        + rows["is_miss"].map({True: ", missed", False: ""}),
        held=rows["is_miss"].map({True: "missed", False: "as it ended"}),
    )
    order = [*ORDER, "deferred", "dropped", "broken off", "none"]
    found = [each for each in order if each in set(rows["outcome"])]
    counts = rows.groupby("outcome")["is_miss"].agg(["sum", "size"])
    told = "; ".join(
        f"{each}: {counts.loc[each, 'size']} issues, {counts.loc[each, 'sum']} missed"
        for each in found
    )
    # Marks of one row that would lie on each other are set apart, the same way every time.
    places = rows.sort_values(["outcome", "gap", "talks", "issue_id"])
    places = places.assign(step=places.groupby("outcome").cumcount() % 5)
    marks = (
        alt.Chart(places[["gap", "outcome", "held", "link", "reading", "step"]])
        .mark_point(filled=True, size=70, opacity=1, strokeWidth=0)
        .encode(
            x=alt.X(
                "gap:Q", title="Gap on the day, outcome hidden", scale=alt.Scale(domain=[0, 1])
            ),
            y=alt.Y("outcome:N", sort=found, title=None, axis=alt.Axis(grid=True)),
            yOffset=alt.YOffset("step:O"),
            href="link:N",
            description="reading:N",
            color=alt.Color(
                "held:N",
                title="The index",
                scale=alt.Scale(
                    domain=["as it ended", "missed"],
                    range=[COLOURS["closed"], COLOURS["widening"]],
                ),
                legend=alt.Legend(orient="bottom"),
            ),
            shape=alt.Shape(
                "held:N",
                title="The index",
                scale=alt.Scale(domain=["as it ended", "missed"], range=["circle", "cross"]),
            ),
        )
    )
    bounds = (
        alt.Chart(pd.DataFrame({"at": [APART, NEAR]}))
        .mark_rule(color=MUTED, strokeDash=[2, 3], aria=False)
        .encode(x="at:Q")
    )
    return styled(
        alt.layer(bounds, marks).properties(
            width=620,
            height=max(70 * len(found), 90),
            description=f"Where the index stood when each issue ended. {told}.",
            usermeta={
                "caption": "The index was measured anew without being told how any issue ended. An"
                f" issue agreed, in full or part, at {NEAR} or more is a miss, and so is one not"
                f" agreed under {APART} (dotted). A mark leads to the evidence."
            },
        )
    )


def lines(comparison: Comparison) -> pd.DataFrame:
    """Return the days at which the lines bend, each stretch of reports a line of its own.

    The day of the outcome is left out: its figure is the outcome, not what was known before.
    """
    course = comparison.course
    before = course[(course["to_end"] < 0) | (course["day"] == 0)]
    drawn = before[before["stretch"] > 0].merge(comparison.talks[["talks", "outcome"]], on="talks")
    one = drawn.groupby(["talks", "stretch"])
    bends = one["gap"].diff().abs().gt(BEND) | one["gap"].diff(-1).abs().gt(BEND)
    number = one.cumcount()
    step = (drawn.groupby("talks")["day"].transform("max") // STEPS_ALONG).clip(lower=1)
    ends = (number == 0) | (number == one["gap"].transform("size") - 1)
    rows = drawn[bends | ends | (number % step == 0)]
    return rows.assign(
        line=rows["talks"] + " " + rows["stretch"].astype(str),
        is_this=rows["talks"] == comparison.this,
    )


def last_days(comparison: Comparison) -> pd.DataFrame:
    """Return one row per negotiation: where its course stood before the outcome, and the link."""
    ends = comparison.talks.assign(share=1.0, to_end=0)
    return ends.assign(
        gap=ends["gap_before"],
        link="../gap_evolution/" + ends["talks"] + ".html" + anchor(comparison),
        reading=[
            f"{name}: {outcome} after {days} days, gap {gap:.2f} the day before"
            for name, outcome, days, gap in zip(
                ends["name"], ends["outcome"], ends["days"], ends["gap_before"], strict=True
            )
        ],
    )


def signs(ends: pd.DataFrame, x: Any, y: Any, colour: Any, shape: Any, *, place: str) -> Any:
    """Return the marks at the ends of courses."""
    return (
        alt.Chart(ends[[place, "gap", "outcome", "link", "reading"]])
        .mark_point(filled=True, size=95, opacity=1, stroke=INK, strokeWidth=0.5)
        .encode(x=x, y=y, color=colour, shape=shape, href="link:N", description="reading:N")
    )


def end_scales(rows: pd.DataFrame) -> tuple[alt.Color, alt.Shape]:
    """Return colour and shape of the outcomes that occur."""
    found = [each for each in ENDS if each in set(rows["outcome"])]
    legend = alt.Legend(orient="bottom")
    colours, shapes = zip(*(ENDS[each] for each in found), strict=True) if found else ((), ())
    return (
        alt.Color(
            "outcome:N",
            title="Outcome",
            scale=alt.Scale(domain=found, range=list(colours)),
            legend=legend,
        ),
        alt.Shape(
            "outcome:N",
            title="Outcome",
            scale=alt.Scale(domain=found, range=list(shapes)),
            legend=legend,
        ),
    )


def name_of(comparison: Comparison, slug: str) -> str:
    """Return the short name of a negotiation; its folder where the filters left it out."""
    names = comparison.talks.set_index("talks")["name"]
    return str(names.get(slug, slug))


def describe(comparison: Comparison, along: str) -> str:
    """Return the text alternative of the courses."""
    told = "; ".join(
        f"{talk.name} {talk.gap_half:.2f} half-way, {talk.gap_before:.2f} the day before the"
        f" outcome ({talk.outcome})"
        for talk in comparison.talks.itertuples()
    )
    how = "share of their days" if along == "share" else "days to their outcome"
    return f"The gap of {len(comparison.talks)} negotiations by {how}. {told}."
