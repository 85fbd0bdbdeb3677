"""Sixth stage, of the calibration: the simulation study in, a chart out."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tradegap.charts.look import COLOURS, styled
from tradegap.trial import SCENARIOS

__all__ = ["KINDS", "chart_calibration"]

KINDS = ["all", *SCENARIOS]  # scenarios of one kind, cells apart


def chart_calibration(study: pd.DataFrame) -> alt.TopLevelMixin:
    """Return the error of each method on simulated talks, a row a scenario."""
    methods = {"model": "accent", "30-day mean": "open", "local level": "widening"}
    methods |= {"exponential smoothing": "deferred", "oracle": "closed"}
    rows = study[study["kind"].isin(KINDS)]
    rows = rows[rows["method"].isin(list(methods))].assign(
        said=lambda each: (
            each["scenario"] + ", " + each["method"] + ": " + each["rmse"].map("{:.3f}".format)
        )
    )
    order = list(dict.fromkeys(rows["scenario"]))
    marks = (
        alt.Chart(rows[["scenario", "method", "rmse", "said"]])
        .mark_point(filled=True, size=80, opacity=1)
        .encode(
            x=alt.X(
                "rmse:Q",
                title="Error of the gap (root mean square)",
                scale=alt.Scale(domain=[0, 0.4]),
            ),
            y=alt.Y("scenario:N", sort=order, title=None, axis=alt.Axis(grid=True, labelLimit=160)),
            color=alt.Color(
                "method:N",
                title=None,
                scale=alt.Scale(domain=list(methods), range=[COLOURS[c] for c in methods.values()]),
                legend=alt.Legend(orient="bottom", columns=3),
            ),
            shape=alt.Shape(
                "method:N",
                title=None,
                scale=alt.Scale(
                    domain=list(methods),
                    range=["circle", "square", "triangle-up", "diamond", "cross"],
                ),
            ),
            description="said:N",
        )
    )
    whole = rows[rows["kind"] == "all"]
    told = "; ".join(f"{row.method} {row.rmse:.3f}" for row in whole.itertuples())
    return styled(
        marks.properties(
            width=560,
            height=alt.Step(26),
            description=f"Error of each method, a row a scenario of simulated talks. All: {told}.",
            usermeta={
                "caption": "Left is better. Every method read the same simulated talks; the oracle"
                " was told everything about the simulator but the path itself."
            },
        )
    )
