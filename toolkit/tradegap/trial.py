"""Beside the flow: the gap index held against simulated talks, and against real ones.

Against real talks the index is measured anew with every outcome hidden from it, as known then, so
that no fact that it is held against has gone into it. Every negotiation of data/talks takes part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from tradegap.gaps import combine_gaps, measure_gaps
from tradegap.record import Record, open_record
from tradegap.tables import conform, empty, read_table
from tradegap.talks import list_negotiations, project_root

__all__ = ["Trial", "is_wrong", "open_trial", "read_study"]

# What the study varies, in the order in which it is shown; and the usual ways to read signals.
SCENARIOS = ("path", "reporting", "outlets", "coding")
RIVALS = ("30-day mean", "exponential smoothing", "local level")

NEAR = 0.5  # under it an issue counts as nearer agreement than not
APART = 0.35  # under it talks that did not agree would have looked agreed
PUT_OFF_DAYS = 30
ORDER = {"agreed": 0, "partly agreed": 1}  # all other endings are 2


@dataclass(frozen=True)
class Trial:
    """How the index did on real talks: frames of the tables `endings`, `turns`, `counts`."""

    endings: pd.DataFrame
    turns: pd.DataFrame
    counts: pd.DataFrame


def read_study() -> pd.DataFrame:
    """Return one row per scenario of simulated talks and method, as `make calibrate` left them."""
    return read_table(project_root() / "data" / "calibration" / "study.csv", "calibration")


def open_trial(*, documents: str = "notes") -> Trial:
    """Return the index of every negotiation on record held against what became of it.

    `documents` is "notes", or "all" to read an analyst's own, too.
    """
    folder = project_root() / "data" / "calibration"
    moments = read_table(folder / "moments.csv", "moments")
    progress = read_table(folder / "progress.csv", "progress")
    endings, turns, counts = [empty("endings")], [empty("turns")], [empty("counts")]
    for slug in list_negotiations():
        record = open_record(slug, documents=documents)
        gaps = measure_blind(record)
        endings.append(end_issues(record, gaps))
        turns.append(hold_moments(moments[moments["talks"] == slug], gaps))
        whole = combine_gaps(gaps, record.negotiation)
        counts.append(hold_counts(progress[progress["talks"] == slug], whole))
    return Trial(
        *(
            conform(pd.concat(frames), name)
            for frames, name in ((endings, "endings"), (turns, "turns"), (counts, "counts"))
        )
    )


def measure_blind(record: Record) -> pd.DataFrame:
    """Return the gaps as known then, measured without how any issue ended and without any count.

    What a document counts as left to do is hidden with its text.
    """
    issues = record.negotiation.issues.assign(outcome="", outcome_on=pd.NaT)
    blind = replace(record.negotiation, issues=conform(issues, "negotiation_issues"))
    gaps = measure_gaps(record.signals.assign(text=""), blind)
    return gaps[gaps["view"] == "then"]


def end_issues(record: Record, gaps: pd.DataFrame) -> pd.DataFrame:
    """Return one row per issue: how it ended, and what the index said of it by then."""
    rows = []
    for issue in record.negotiation.issues.itertuples():
        own = gaps[gaps["issue_id"] == issue.issue_id].set_index("on")
        ended_on = issue.outcome_on if issue.outcome else own.index[-1]
        ended_on = min(max(ended_on, own.index[0]), own.index[-1])
        upto = own.loc[:ended_on, "gap"]
        after = own.loc[ended_on:, "gap"].iloc[:2].iloc[-1]
        far = upto[upto >= NEAR]
        since = own.index[0] if far.empty else far.index[-1] + pd.Timedelta(days=1)
        is_settled = issue.outcome in ORDER
        rows.append(
            {
                "talks": record.negotiation.slug,
                "issue_id": issue.issue_id,
                "outcome": issue.outcome or "none",
                "ended_on": ended_on,
                "gap_month_before": upto.iloc[max(len(upto) - 1 - PUT_OFF_DAYS, 0)],
                "gap_day_before": upto.iloc[-2:].iloc[0],
                "gap": upto.iloc[-1],
                "gap_day_after": after,
                "lead_days": max((ended_on - since).days, 0) if is_settled else 0,
                "is_miss": is_wrong(issue.outcome, upto.iloc[-1]),
            }
        )
    return conform(pd.DataFrame(rows), "endings")


def is_wrong(outcome: str, gap: float) -> bool:
    """Return whether a gap looks like another ending than this one.

    >>> is_wrong("agreed", 0.6), is_wrong("deferred", 0.6), is_wrong("deferred", 0.2)
    (True, False, True)
    """
    return bool(gap >= NEAR if outcome in ORDER else gap < APART)


def hold_moments(moments: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Return one row per moment: the gap at its ends, the lowest in between, whether missed."""
    rows = []
    for moment in moments.to_dict("records"):
        own = gaps[gaps["issue_id"] == moment["issue_id"]].set_index("on")["gap"]
        between = own.loc[moment["from_on"] : moment["to_on"]]
        if between.empty:
            continue
        before, after, lowest = between.iloc[0], between.iloc[-1], between.min()
        held = {
            "falls": after < before,
            "rises": after > before,
            "stays apart": lowest >= APART,
        }
        ends = {"gap_before": before, "gap": after, "gap_lowest": lowest}
        rows.append(moment | ends | {"is_miss": not held[moment["expected"]]})
    return conform(pd.DataFrame(rows), "turns") if rows else empty("turns")


def hold_counts(progress: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Return one row per count of progress: the share left to do, and the gap of the whole."""
    equal = whole[whole["weighting"] == "equal"].set_index("on")["gap"]
    known = progress[progress["stated_on"].isin(equal.index)]
    left = 1 - known["value"] / known["total"]
    return conform(known.assign(left=left, gap=known["stated_on"].map(equal)), "counts")


def rank_agreement(one: pd.Series, other: pd.Series) -> float:
    """Return Spearman's rank correlation; NaN for fewer than four pairs.

    >>> rank_agreement(pd.Series([1, 2, 3, 4]), pd.Series([10, 20, 30, 50]))
    1.0
    """
    if len(one) < 4 or one.nunique() < 2 or other.nunique() < 2:
        return float("nan")
    return round(float(one.rank().corr(other.rank())), 3)
