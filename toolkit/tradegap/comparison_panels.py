"""Sixth stage, for several negotiations at once, in words: each row led to its own page."""

from __future__ import annotations

import pandas as pd

from tradegap.charts import SILENT_DAYS
from tradegap.comparison import Comparison, anchor
from tradegap.each import join_words
from tradegap.panels import Panel, macros
from tradegap.talks import read_issues, read_negotiation

__all__ = [
    "list_misses",
    "list_outcomes",
    "list_standings",
    "list_talks",
    "state_comparison",
    "tabulate_comparison",
]

TEMPLATE = "comparison.html.j2"
THIN_REPORTS = 5  # days with reports below which a course says little
THIN_SILENCE = 0.5  # share of silent days from which it does
SETTLED = ("agreed", "partly agreed")


def state_comparison(comparison: Comparison) -> Panel:
    """Return how the talks ended, and what became of those that stood where one stands."""
    talks = comparison.talks
    counts = talks["outcome"].value_counts()
    said = join_words(
        [
            f"{counts[outcome]} {words}"
            for outcome, words in (
                ("agreed", "ended agreed"),
                ("partly agreed", "agreed in part"),
                ("deferred", "put off"),
                ("dropped", "dropped"),
                ("drifted", "drifted off"),
                ("broken off", "broken off"),
                ("going on", "still going on"),
            )
            if outcome in counts
        ]
    )
    of = f"{len(talks)} {'negotiation' if len(talks) == 1 else 'negotiations'}"
    if comparison.issue_id:
        issue = read_issues().set_index("issue_id").loc[comparison.issue_id, "issue"].lower()
        of = f"{of} on {issue}"
    thin = talks[(talks["reports"] < THIN_REPORTS) | (talks["silent_share"] >= THIN_SILENCE)]
    panel = macros(TEMPLATE).answer(
        sentence=f"Of {of}: {said}.",
        stand=stand_sentence(comparison),
        thin=thin.to_dict("records"),
        silent_days=SILENT_DAYS,
    )
    return Panel(panel)


def stand_sentence(comparison: Comparison) -> str:
    """Return what became of the others that came as near as the one they are held against."""
    beside = comparison.standings.merge(comparison.talks, on="talks")
    if beside.empty:
        return ""
    near = beside[beside["days_left"] > 0]
    this = read_negotiation(comparison.this).title
    day = f"{comparison.on.day} {comparison.on:%B %Y}"
    start = f"On {day} “{this}” stood at {comparison.gap:.2f}. "
    if near.empty:
        return f"{start}None of the {len(beside)} others came as near before its outcome was known."
    ended = int(near["outcome"].isin(SETTLED).sum())
    return (
        f"{start}Of the {len(beside)} others {len(near)} came as near before the outcome was known,"
        f" at the median {near['days_left'].median():.0f} days before it; {ended} of them ended"
        " agreed, in full or in part."
    )


def list_talks(comparison: Comparison) -> Panel:
    """Return the negotiations compared, a row each, as they opened."""
    rows = comparison.talks.sort_values("opened_on", kind="stable")
    return Panel(macros(TEMPLATE).talks(rows=rows.to_dict("records"), anchor=anchor(comparison)))


def list_standings(comparison: Comparison) -> Panel:
    """Return where each was when it stood where the one stands, those that came as near first."""
    rows = comparison.standings.merge(comparison.talks[["talks", "name", "outcome"]], on="talks")
    rows = rows.assign(is_near=rows["days_left"] > 0)
    rows = rows.sort_values(["is_near", "near_day"], ascending=[False, True], kind="stable")
    negotiation = read_negotiation(comparison.this)
    days = (comparison.on - negotiation.opened_on).days
    return Panel(
        macros(TEMPLATE).standings(
            rows=rows.to_dict("records"),
            this=negotiation.title,
            on=comparison.on,
            gap=comparison.gap,
            days=days,
            anchor=anchor(comparison),
        )
    )


def list_misses(comparison: Comparison) -> Panel:
    """Return where the index, not told, looked otherwise than things went."""
    ended, turned = comparison.endings, comparison.turns
    endings = ended[ended["is_miss"]].assign(
        what=lambda rows: rows["outcome"].replace("none", "not agreed"),
        on=lambda rows: rows["ended_on"],
    )
    turns = turned[turned["is_miss"]].assign(
        what=lambda rows: rows["moment"] + " (expected: " + rows["expected"] + ")",
        on=lambda rows: rows["to_on"],
    )
    columns = ["talks", "issue_id", "what", "on", "gap"]
    rows = pd.concat([frame[columns] for frame in (endings, turns) if len(frame)] or [endings])
    rows = rows.merge(comparison.talks[["talks", "name"]], on="talks").merge(
        read_issues(), on="issue_id"
    )
    return Panel(
        macros(TEMPLATE).misses(
            rows=rows.sort_values(["on", "talks", "issue_id"]).to_dict("records"),
            endings=len(ended),
            missed=int(ended["is_miss"].sum()),
            turns=len(turned),
            turned=int(turned["is_miss"].sum()),
        )
    )


def list_outcomes(comparison: Comparison) -> Panel:
    """Return how the one issue that is compared ended in each negotiation."""
    rows = []
    for talk in comparison.talks.sort_values("opened_on", kind="stable").to_dict("records"):
        issues = read_negotiation(talk["talks"]).issues.set_index("issue_id")
        own = issues.loc[comparison.issue_id]
        rows.append(talk | own.drop("outcome").to_dict() | {"issue_id": comparison.issue_id})
    return Panel(macros(TEMPLATE).outcomes(rows=rows))


def tabulate_comparison(comparison: Comparison) -> pd.DataFrame:
    """Return one row per negotiation: its figures, and where it stands beside the one."""
    return comparison.talks.merge(comparison.standings, how="left", on="talks")
