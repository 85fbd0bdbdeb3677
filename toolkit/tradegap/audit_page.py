"""Sixth stage, of the audit: the coder's reliability in, charts, sentences and tables out."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tradegap.audit import FEW, VALUES, Audit, sum_up
from tradegap.charts import COLOURS, INK, MUTED, PAPER, styled
from tradegap.panels import Panel, macros

__all__ = [
    "chart_confusion",
    "chart_reliability",
    "list_agreement",
    "list_errors",
    "list_scores",
    "state_origin",
    "state_reliability",
]

ACCENT = COLOURS["accent"]
PEOPLE = {"direction macro-F1": 0.86, "signal": 0.88}  # two people on a set unseen by us: codebook
PALEST = 0.5  # opacity of a cell that holds a whole row: text stays readable on it, light and dark
NAMES = {"any": "Any direction", "signal": "finding a signal at all", "forward": "forward event"}


def state_reliability(audit: Audit) -> Panel:
    """Return how reliable the coder is, and what that means for the pages."""
    slip = audit.largest_slip
    return Panel(
        page().answer(
            sentence=sum_up(audit),
            direction=audit.row("direction macro-F1"),
            signal=audit.row("signal"),
            people=PEOPLE,
            slip=slip,
            slip_points=points(slip),
            overall_points=max(points(row) for _, row in enough(audit, "any").iterrows()),
            best=ranked(audit).iloc[0],
            worst=ranked(audit).iloc[-1],
            few=FEW,
        )
    )


def chart_confusion(audit: Audit) -> alt.TopLevelMixin:
    """Return the confusion matrix: a row per direction in the sets, a column per coded one."""
    counts = audit.confusion
    share = counts["sentences"] / counts.groupby("gold")["sentences"].transform("sum")
    cells = counts.assign(
        share=share,
        strength=share * PALEST,
        percent=[f"{100 * each:.0f} %" for each in share],
        number=[f"{each:,}" for each in counts["sentences"]],
        is_same=counts["gold"] == counts["coded"],
        reading=[
            f"{row.sentences} sentences: {row.gold} by a person, {row.coded} by the program"
            for row in counts.itertuples()
        ],
    )
    base = alt.Chart(cells).encode(
        x=alt.X(
            "coded:N",
            sort=VALUES,
            title="The program says",
            axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
        ),
        y=alt.Y(
            "gold:N",
            sort=VALUES,
            title="A person says",
            axis=alt.Axis(domain=False, ticks=False, labelPadding=5),
        ),
    )
    strength = alt.Opacity("strength:Q", scale=None, legend=None)
    squares = base.mark_rect(color=ACCENT, stroke=PAPER, strokeWidth=2).encode(
        opacity=strength, description="reading:N"
    )
    frames = base.transform_filter("datum.is_same").mark_rect(
        filled=False, stroke=INK, strokeWidth=1.5, opacity=1, aria=False
    )
    numbers = base.mark_text(color=INK, fontSize=14, dy=-6, aria=False).encode(text="number:N")
    percents = base.mark_text(color=INK, fontSize=11, dy=11, aria=False).encode(text="percent:N")
    return styled(
        alt.layer(squares, frames, numbers, percents).properties(
            width=alt.Step(56),
            height=alt.Step(50),
            description=describe_confusion(audit),
            usermeta={
                "caption": "Sentences, and their share of the row. Framed: both say the same. A"
                " sentence to which the sets give two directions"
                f" ({audit.scores['two_directions']} of {audit.scores['sentences']:,}) counts once"
                " for each: what both give is paired first, what is left in the order of the scale"
                " closed, narrowing, open, widening, and with silent where the other side has"
                " nothing left."
            },
        )
    )


def describe_confusion(audit: Audit) -> str:
    """Return the text alternative of the confusion matrix."""
    said = []
    for gold in VALUES:
        own = audit.confusion[audit.confusion["gold"] == gold].set_index("coded")["sentences"]
        counts = ", ".join(f"{coded} {own[coded]}" for coded in VALUES)
        said.append(f"{gold} by a person ({own.sum()}): {counts} by the program")
    return "Grid of directions by a person and by the program. " + "; ".join(said) + "."


def chart_reliability(audit: Audit) -> alt.TopLevelMixin:
    """Return the share that was right by the chance that the coder gave, a panel a direction."""
    tenths = audit.reliability.assign(
        middle=audit.reliability["chance_from"] + 0.05,
        number=[f"{each:,}" for each in audit.reliability["sentences"]],
        weight=[
            "enough" if each >= FEW else f"fewer than {FEW} sentences"
            for each in audit.reliability["sentences"]
        ],
        reading=[
            f"said {row.mean_chance:.2f}, true {row.share_signals:.2f}, {row.sentences} sentences"
            for row in audit.reliability.itertuples()
        ],
    )
    scale = alt.Scale(domain=[0, 1])
    ends = pd.DataFrame({"chance": [0, 1]})
    honest = (
        alt.Chart(ends)
        .mark_line(color=MUTED, strokeWidth=1, strokeDash=[3, 3], aria=False)
        .encode(x=alt.X("chance:Q", scale=scale), y=alt.Y("chance:Q", scale=scale))
    )
    panels = []
    for direction in dict.fromkeys(tenths["direction"]):
        own = tenths[tenths["direction"] == direction]
        colour = COLOURS.get(direction, ACCENT)
        base = alt.Chart(
            own[["mean_chance", "share_signals", "middle", "number", "weight", "reading"]]
        )
        x = alt.X(
            "mean_chance:Q",
            scale=scale,
            title="chance that the program gives",
            axis=alt.Axis(format=".1f", tickCount=5, grid=False),
        )
        y = alt.Y(
            "share_signals:Q",
            scale=scale,
            title="share that was so",
            axis=alt.Axis(format=".1f", tickCount=5),
        )
        line = base.mark_line(color=colour, strokeWidth=1.5, aria=False).encode(x=x, y=y)
        dots = (
            base.transform_filter("datum.weight == 'enough'")
            .mark_point(filled=True, size=60, color=colour, stroke=PAPER, opacity=1)
            .encode(x=x, y=y, description="reading:N")
        )
        rings = (
            base.transform_filter("datum.weight != 'enough'")
            .mark_point(filled=True, size=60, fill=PAPER, stroke=colour, opacity=1)
            .encode(x=x, y=y, description="reading:N")
        )
        numbers = base.mark_text(color=MUTED, fontSize=10, aria=False).encode(
            x=alt.X("middle:Q", scale=scale), y=alt.value(-8), text="number:N"
        )
        panels.append(
            alt.layer(honest, line, dots, rings, numbers).properties(
                width=290,
                height=190,
                title=alt.TitleParams(
                    NAMES.get(direction, direction.capitalize()), anchor="start", offset=14
                ),
            )
        )
    return styled(
        alt.concat(*panels, columns=2, spacing={"row": 22, "column": 34}).properties(
            description=describe_reliability(audit),
            usermeta={
                "caption": "On the dotted line the chance is honest: of the sentences that the"
                " program gives .7, seven of ten are so. Above it the program is too timid, below"
                " too sure. The figures along the top are the sentences in each tenth, of"
                " all that program and sets divide alike, coded or not; a hollow dot has fewer"
                f" than {FEW}. The gap model weighs a signal by the chance of its own direction."
            },
        )
    )


def describe_reliability(audit: Audit) -> str:
    """Return the text alternative of the reliability curve."""
    said = []
    for direction in dict.fromkeys(audit.reliability["direction"]):
        worst = max(enough(audit, direction).to_dict("records"), key=points)
        said.append(
            f"{NAMES.get(direction, direction)}: at most {points(worst)} points off, where the"
            f" program says {worst['mean_chance']:.2f} and {worst['share_signals']:.2f} is so"
        )
    return "Chance against truth by tenths, a panel a direction. " + "; ".join(said) + "."


def list_scores(audit: Audit) -> Panel:
    """Return the scorer's table with intervals, what is held out first."""
    order = audit.rows.assign(name=audit.rows["row"].map(lambda row: NAMES.get(row, row)))
    groups = [
        (held_out, order[order["held_out"] == held_out].to_dict("records"))
        for held_out in ("weights", "nothing")
    ]
    return Panel(page().scores(groups=groups, people=PEOPLE, scores=audit.scores))


def list_agreement(audit: Audit) -> Panel:
    """Return Krippendorff's alpha of coder and sets, each with what it asks and its interval."""
    return Panel(page().agreement(rows=audit.agreement.to_dict("records"), people=PEOPLE))


def list_errors(audit: Audit) -> Panel:
    """Return the kinds of error with their counts, and what the coder makes of an invented one."""
    groups = []
    for error, total in (("miss", "misses"), ("false alarm", "false_alarms")):
        own = audit.errors[audit.errors["error"] == error]
        groups.append(
            {
                "error": error,
                "total": int(audit.scores[total]),
                "read": int(own["read"].sum()),
                "standing": int(own["standing"].sum()),
                "rows": own.to_dict("records"),
            }
        )
    return Panel(page().errors(groups=groups, scores=audit.scores, readers=audit.readers))


def state_origin(audit: Audit) -> Panel:
    """Return where each figure of the audit comes from."""
    return Panel(page().origin(scores=audit.scores))


def ranked(audit: Audit) -> pd.DataFrame:
    """Return the rows of the four directions, best first."""
    return audit.rows[audit.rows["row"].isin(VALUES)].sort_values("f1", ascending=False)


def enough(audit: Audit, direction: str) -> pd.DataFrame:
    """Return the tenths of a direction that have sentences enough to be judged."""
    own = audit.reliability[audit.reliability["direction"] == direction]
    return own[own["sentences"] >= FEW]


def points(tenth: Any) -> int:
    """Return how many hundredths chance and truth are apart."""
    apart: float = abs(tenth["mean_chance"] - tenth["share_signals"])
    return round(100 * apart)


def page() -> Any:
    """Return the HTML of the audit's panels, as Jinja macros."""
    return macros("audit.html.j2")
