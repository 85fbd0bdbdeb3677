"""Sixth stage, who says what: the gap by each side's own words, and where the sides diverge."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tradegap.charts.look import COLOURS, styled
from tradegap.charts.series import by_period, thin_out, time_axis
from tradegap.charts.words import issue_order, tell_trend
from tradegap.gaps import measure_divergence
from tradegap.record import Record
from tradegap.talks import read_issues

__all__ = ["chart_sides"]

SIDES = ["accent", "open", "deferred", "closed"]
DASHES = [[1, 0], [6, 2], [2, 2], [8, 2, 2, 2]]  # sides are told apart without colour, too
MOST = 6  # issues whose sides are drawn, the weightiest first
FEWEST = 3  # signals of a side on an issue from which its series is drawn


def chart_sides(record: Record) -> alt.TopLevelMixin:
    """Return what each side says of the gap over time, a panel an issue on which both speak.

    Between the lines of two sides lies their divergence, shaded where its 90 % band holds no 0; a
    bar at the right end is the 90 % band of a side's last reading.
    """
    parties = record.negotiation.parties
    apart = measure_divergence(record.signals, record.negotiation, as_of=record.as_of)
    apart = apart[apart["view"] == "then"]
    apart = apart.assign(on=apart["on"].dt.tz_localize("UTC"))
    said = apart.groupby("issue_id")[["signals_party", "signals_other"]].max().min(axis=1)
    names = read_issues().set_index("issue_id")["issue"]
    direct = set(record.evidence.query("said_of == issue_id")["issue_id"])
    kept = [issue for issue in said[said >= FEWEST].index if issue in direct]
    order = [name for name in issue_order(record) if name in set(names[kept])][:MOST]
    days, x = time_axis(apart["on"])
    lines = side_lines(apart, parties).assign(issue=lambda rows: rows["issue_id"].map(names))
    panels = [
        draw_sides(
            lines[lines["issue"] == name],
            apart[apart["issue_id"].map(names) == name],
            list(parties),
            x,
        ).properties(width=270, height=120, title=alt.TitleParams(name, anchor="start"))
        for name in order
    ]
    told = []
    for name in order:
        for party, rows in lines[lines["issue"] == name].groupby("series", sort=False):
            told.append(f"{name} by {party} {tell_trend(rows['gap'])}")
    drawn = lines[lines["issue"].isin(order)]
    labels = [f"{name}, {party}" for name in order for party in parties]
    return styled(
        alt.concat(*panels, columns=3, spacing={"row": 18, "column": 24}).properties(
            description=f"The gap by what each side says, over time: {'; '.join(told) or 'none'}.",
            usermeta={
                "span": days,
                "caption": "What each side's statements alone say of the gap, as known then. The"
                " space between two lines is their divergence, shaded where it is sure: where its"
                " 90 % band holds no 0. The bars at the right end are the 90 % bands of the last"
                f" reading. Drawn for the {MOST} weightiest issues on which each side has {FEWEST}"
                " signals or more; while a side is silent its line only drifts.",
                "table": by_period(
                    drawn.assign(series=drawn["issue"] + ", " + drawn["series"]),
                    labels,
                    "The gap by what each side says at each end of",
                ),
            },
        )
    )


def side_lines(apart: pd.DataFrame, parties: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per issue, day and party: the gap by what that party says."""
    frames = []
    for party in parties:
        for column, suffix in (("party", "party"), ("other", "other")):
            own = apart[apart[column] == party]
            figures = {f"{name}_{suffix}": name for name in ("gap", "gap_low", "gap_high")}
            frames.append(
                own.rename(columns=figures).assign(series=party)[
                    ["issue_id", "on", "series", "gap", "gap_low", "gap_high"]
                ]
            )
    return pd.concat(frames).drop_duplicates(["issue_id", "on", "series"])


def draw_sides(lines: pd.DataFrame, apart: pd.DataFrame, parties: list[str], x: alt.X) -> Any:
    """Return one panel: the sides' lines, their sure divergence between, the last bands."""
    height = alt.Scale(domain=[0, 1])
    thinned = pd.concat(
        thin_out(own[["issue_id", "on", "series", "gap"]].assign(status=""))
        for _, own in lines.groupby("series", sort=False)
    )
    scale = alt.Scale(domain=parties, range=[COLOURS[SIDES[n % 4]] for n in range(len(parties))])
    legend = alt.Legend(orient="bottom", symbolOpacity=1, symbolType="stroke")
    colour = alt.Color("series:N", title=None, scale=scale, legend=legend)
    dash = alt.StrokeDash(
        "series:N", title=None, scale=alt.Scale(domain=parties, range=DASHES[: len(parties)])
    )
    y = alt.Y("gap:Q", scale=height, title=None, axis=alt.Axis(tickCount=3))
    series = alt.Chart(thinned[["on", "series", "gap"]]).mark_line(strokeWidth=2, aria=False)
    last = lines[lines["on"] == lines["on"].max()]
    place = {party: 6 + 6 * n for n, party in enumerate(parties)}
    ends = [
        alt.Chart(last.loc[last["series"] == party, ["series", "gap_low", "gap_high"]])
        .mark_rule(strokeWidth=3, aria=False)
        .encode(
            x=alt.value(270 + place[party]),
            y=alt.Y("gap_low:Q", scale=height, title=None),
            y2="gap_high:Q",
            color=colour,
        )
        for party in parties
    ]
    sure = apart[(apart["divergence_low"] > 0) | (apart["divergence_high"] < 0)]
    # Runs of days on which the sides surely differ, each an area of its own.
    run = (sure["on"].diff() != pd.Timedelta(days=1)).cumsum()
    pieces = [
        alt.Chart(
            own.iloc[sorted({*range(0, len(own), 5), len(own) - 1})][
                ["on", "gap_party", "gap_other"]
            ]
        )
        .mark_area(color=COLOURS["widening"], opacity=0.3, aria=False)
        .encode(x=x, y=alt.Y("gap_party:Q", scale=height, title=None), y2="gap_other:Q")
        for _, pair in sure.assign(run=run).groupby(["party", "other"])
        for _, own in pair.groupby("run")
        if len(own) > 1
    ]
    return alt.layer(*pieces, series.encode(x=x, y=y, color=colour, strokeDash=dash), *ends)
