"""Sixth stage, the one picture: issues down, rounds across, milestones between them."""

from __future__ import annotations

import json

import altair as alt
import pandas as pd

from tradegap.charts.look import COLOURS, INK, MUTED, RULE, STEPS, styled
from tradegap.charts.words import cell_links, day_text, issue_order, read_out
from tradegap.record import Record, read_rounds

__all__ = ["chart_rounds"]

WIDE, NARROW = 38, 18  # pixels that a round and a milestone take
SHAPES = {
    "agreed": "M-0.9,0.05L-0.3,0.65L0.9,-0.6",
    "partly agreed": "M-0.9,0.05L-0.3,0.65L0.9,-0.6",
    "deferred": "M-0.35,-0.8L-0.35,0.8M0.35,-0.8L0.35,0.8",
    "dropped": "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7",
    "broken off": "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7",
}


def chart_rounds(record: Record) -> alt.TopLevelMixin:
    """Return the issue by round picture: one cell is the gap as known the day after a round.

    The colour of a cell is the gap, its size how sure it is (a full cell has a narrow band); an
    issue that was agreed, deferred or dropped is drawn with a sign of its own. A cell links to the
    evidence that moved it last; a dotted line is a milestone, named above.
    """
    columns = lay_out(record)
    links = cell_links(record)[["round_id", "issue_id", "anchor"]]
    cells = read_rounds(record).merge(links, on=["round_id", "issue_id"])
    cells = cells.merge(columns.loc[columns["is_round"], ["round_id", "x"]], on="round_id")
    cells = cells.assign(
        link="#" + cells["anchor"],
        sure=(1 - (cells["gap_high"] - cells["gap_low"])).clip(0.05, 1).round(3),
        reading=[read_out(each) for each in cells.itertuples()],
    )
    order = issue_order(record)
    wide = float(columns["x"].iloc[-1] + WIDE / 2)
    scale = alt.Scale(domain=[0, wide], nice=False, zero=False)
    named = json.dumps(dict(zip(columns["x"].map("{:g}".format), columns["label"], strict=True)))
    marks = json.dumps([float(x) for x in columns.loc[~columns["is_round"], "x"]])
    axis = alt.Axis(
        orient="top",
        values=list(columns["x"]),
        labelExpr=f"{named}[datum.value]",
        labelAngle=-50,
        labelAlign="left",
        labelLimit=230,
        labelPadding=6,
        labelOverlap=False,
        labelColor=alt.condition(
            f"indexof({marks}, datum.value) < 0", alt.value(MUTED), alt.value(INK)
        ),
        labelFontStyle=alt.condition(
            f"indexof({marks}, datum.value) < 0", alt.value("normal"), alt.value("italic")
        ),
        grid=False,
        domain=False,
        ticks=False,
    )
    base = alt.Chart(cells[["x", "issue", "gap", "sure", "link", "reading", "status"]]).encode(
        x=alt.X("x:Q", title=None, scale=scale, axis=axis),
        y=alt.Y(
            "issue:N",
            sort=order,
            title=None,
            axis=alt.Axis(
                labelLimit=170,
                labelPadding=8,
                domain=False,
                ticks=False,
                labelColor=INK,
                grid=True,
            ),
        ),
    )
    linked = base.encode(href="link:N", description="reading:N")
    squares = linked.mark_square(opacity=1, stroke=RULE, strokeWidth=0.5).encode(
        color=alt.Color(
            "gap:Q",
            title="Gap",
            scale=alt.Scale(type="threshold", domain=[0.2, 0.4, 0.6, 0.8], range=STEPS),
            legend=alt.Legend(orient="bottom", direction="horizontal", format=".1f"),
        ),
        size=alt.Size(
            "sure:Q",
            title="Width of the 90 % band",
            scale=alt.Scale(domain=[0, 1], range=[30, 900]),
            legend=alt.Legend(
                orient="bottom",
                values=[0.15, 0.5, 0.9],
                labelExpr="format(1 - datum.value, '.1f')",
                symbolFillColor=MUTED,
                symbolStrokeWidth=0,
            ),
        ),
    )
    bounds = (
        alt.Chart(columns.loc[~columns["is_round"], ["x"]])
        .mark_rule(color=INK, strokeWidth=1, strokeDash=[2, 3], aria=False)
        .encode(x=alt.X("x:Q", title=None, scale=scale, axis=axis))
    )
    layers = [bounds, squares.transform_filter("datum.status == 'negotiated'")]
    for status, shape in SHAPES.items():
        if status not in set(cells["status"]):
            continue
        colour = COLOURS["deferred" if status == "deferred" else "closed"]
        marks_of = linked.transform_filter(f"datum.status == '{status}'")
        layers.append(
            marks_of.mark_point(
                shape=shape,
                size=300,
                filled=False,
                stroke=colour if "agreed" in status or status == "deferred" else MUTED,
                strokeWidth=2.5 if status != "partly agreed" else 1.2,
                opacity=1,
            )
        )
    return styled(
        alt.layer(*layers).properties(
            width=wide,
            height=alt.Step(WIDE),
            description=describe_rounds(record),
            usermeta={
                "caption": "Each square is the gap on an issue as it was known the day after a"
                " round: the stronger its colour, the further apart; the larger, the surer. A"
                " tick is an issue agreed (thin: agreed in part), two bars one deferred, a cross"
                " one dropped or broken off. Dotted lines are milestones, named in italics. A"
                " square leads to the evidence that moved it last.",
                "table": table_of(cells, columns, order),
            },
        )
    )


def lay_out(record: Record) -> pd.DataFrame:
    """Return one row per column of the picture: rounds and, between them, milestones.

    `x` is the middle of the column, in pixels; the last round is the record's own day.
    """
    rounds = read_rounds(record).drop_duplicates("round_id")
    rounds = rounds.assign(is_round=True, at=rounds["held_on"].fillna(rounds["on"]), order=0)
    milestones = record.negotiation.milestones
    milestones = milestones[milestones["reached_on"] <= pd.Timestamp(record.as_of)].assign(
        is_round=False, order=lambda each: -1
    )
    milestones = milestones.rename(columns={"reached_on": "at", "milestone": "round"})
    columns = pd.concat([rounds, milestones], ignore_index=True)
    columns["is_now"] = columns["round_id"] == "now"
    columns = columns.sort_values(["is_now", "at", "order"], kind="stable").reset_index(drop=True)
    width = columns["is_round"].map({True: WIDE, False: NARROW})
    columns["x"] = width.cumsum() - width / 2
    columns["label"] = [
        f"As of {day_text(row.at)}" if row.is_now else f"{row.at.day} {row.at:%b %Y} · {row.round}"
        for row in columns.itertuples()
    ]
    return columns


def table_of(cells: pd.DataFrame, columns: pd.DataFrame, order: list[str]) -> dict[str, object]:
    """Return the readings as a table: issues down, rounds across."""
    said = cells.assign(
        said=[
            f"{row.gap:.2f} ({row.gap_low:.2f}–{row.gap_high:.2f})"
            if row.status == "negotiated"
            else row.status
            for row in cells.itertuples()
        ]
    ).pivot(index="issue", columns="round_id", values="said")
    shown = columns[columns["is_round"]]
    return {
        "caption": "The gap after each round, with its 90 % band",
        "columns": ["Issue", *shown["label"]],
        "rows": [[issue, *said.loc[issue, shown["round_id"]]] for issue in order],
    }


def describe_rounds(record: Record) -> str:
    """Return the text alternative of the issue by round picture."""
    cells = read_rounds(record)
    now = cells[cells["round_id"] == "now"]
    said = "; ".join(
        f"{row.issue} {row.status if row.status != 'negotiated' else f'{row.gap:.2f}'}"
        for row in now.itertuples()
    )
    rounds = record.negotiation.rounds
    count = int((rounds["held_on"] <= pd.Timestamp(record.as_of)).sum())
    going = cells.loc[cells["status"] == "negotiated", "gap"]
    span = f" The gap runs from {going.min():.2f} to {going.max():.2f}." if len(going) else ""
    return (
        f"Grid of {now['issue_id'].nunique()} issues by {count} rounds, each cell the gap after the"
        f" round.{span} On {day_text(record.as_of)}: {said}."
    )
