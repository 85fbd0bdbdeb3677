"""Weighted evidence in, a gap per issue and day out, with its band; and the talks as a whole."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tradegap.gaps.evidence import weigh_signals
from tradegap.gaps.model import (
    GRID,
    OUTCOME_LEVELS,
    PHASES,
    SETTLED,
    Settled,
    filter_days,
    look_back,
    read_belief,
    say,
)
from tradegap.tables import conform, empty

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradegap.talks import Negotiation

    Vector = npt.NDArray[np.float64]

BAND = (0.05, 0.95)
REPORT = ["direction", "chance", "lean", "left"]
VIEWS = {"then": "known_on", "hindsight": "happened_on"}


def measure_gaps(
    signals: pd.DataFrame,
    negotiation: Negotiation,
    *,
    as_of: date | None = None,
    party: str = "",
) -> pd.DataFrame:
    """Return one row per issue, day and view: the gap with its 90 % band.

    The days run from the opening of the talks to the last thing on record (their end, a milestone,
    a round, a publication), or to `as_of` if that is earlier. In the view 'then' a day's figure
    uses nothing that was published later; in 'hindsight' it uses everything. With `party`, only
    what that side says is used, as it says it.
    """
    evidence = weigh_signals(signals, negotiation, as_of=as_of, party=party)
    days = days_of(signals, negotiation, as_of)
    if negotiation.issues.empty:
        return empty("gaps")
    frames = [tabulate(negotiation, days, view, evidence) for view in VIEWS]
    # Issue by issue, then before hindsight.
    gaps = pd.concat(frames, ignore_index=True).sort_values("place", kind="stable")
    return conform(gaps, "gaps")


def believe(
    evidence: pd.DataFrame, negotiation: Negotiation, days: pd.DatetimeIndex, view: str
) -> Vector:
    """Return what is believed; axes are days, phases, gaps and issues."""
    says = lay_out(evidence, negotiation, days, VIEWS[view])
    settled = only_settled(find_outcomes(negotiation, days))
    beliefs = filter_days(says, settled)
    return look_back(says, settled, beliefs) if view == "hindsight" else beliefs


def tabulate(
    negotiation: Negotiation,
    days: pd.DatetimeIndex,
    view: str,
    evidence: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row per issue and day of one view."""
    figures = read_belief(believe(evidence, negotiation, days, view), BAND)
    mean, low, high = (np.round(each.T.ravel(), 3) for each in figures)
    counts, status = [], []
    named = evidence[evidence["said_of"] == evidence["issue_id"]]
    for issue in negotiation.issues.itertuples():
        known = np.sort(named.loc[named["issue_id"] == issue.issue_id, "known_on"].to_numpy())
        upto = np.searchsorted(known, days.to_numpy(), side="right")
        counts.append(upto if view == "then" else np.full(len(days), len(known)))
        over = (days >= issue.outcome_on) & bool(issue.outcome)
        status.append(np.where(over, issue.outcome, "negotiated"))
    return pd.DataFrame(
        {
            "issue_id": np.repeat(negotiation.issues["issue_id"].to_numpy(), len(days)),
            "place": np.repeat(np.arange(len(negotiation.issues)), len(days)),
            "on": np.tile(days.to_numpy(), len(negotiation.issues)),
            "view": view,
            "gap": mean,
            "gap_low": np.minimum(low, mean),
            "gap_high": np.maximum(high, mean),
            "status": np.concatenate(status),
            "signals": np.concatenate(counts),
        }
    )


def read_gap(gaps: pd.DataFrame, on: date, *, view: str = "then") -> pd.DataFrame:
    """Return one row per issue: the gap on one day, or on the nearest day that the talks had."""
    rows = gaps[gaps["view"] == view]
    if rows.empty:
        return rows
    day = min(max(pd.Timestamp(on), rows["on"].min()), rows["on"].max())
    return rows[rows["on"] == day].reset_index(drop=True)


def days_of(
    signals: pd.DataFrame, negotiation: Negotiation, as_of: date | None
) -> pd.DatetimeIndex:
    """Return the days that the gap is measured on."""
    first = pd.Timestamp(negotiation.opened_on)
    ends = [signals["published"].max(), negotiation.rounds["ended_on"].max()]
    ends += [negotiation.milestones["reached_on"].max(), pd.Timestamp(negotiation.ended_on)]
    last = max([first, *(day for day in ends if pd.notna(day))])
    if as_of:
        last = min(last, pd.Timestamp(as_of))
    return pd.date_range(first, max(first, last), freq="D")


def find_outcomes(negotiation: Negotiation, days: pd.DatetimeIndex) -> Settled:
    """Return by day the issues, by number, whose outcome became known on it."""
    outcomes: Settled = {}
    for number, issue in enumerate(negotiation.issues.itertuples()):
        if issue.outcome and pd.notna(issue.outcome_on) and issue.outcome_on <= days[-1]:
            day = max(int((issue.outcome_on - days[0]).days), 0)
            outcomes.setdefault(day, []).append((number, issue.outcome))
    return outcomes


def only_settled(outcomes: Settled) -> Settled:
    """Return those outcomes that settle their issue."""
    return {day: [each for each in known if each[1] in SETTLED] for day, known in outcomes.items()}


def lay_out(
    evidence: pd.DataFrame, negotiation: Negotiation, days: pd.DatetimeIndex, dated: str
) -> Vector:
    """Return the log-likelihood of what each day brought: axes are days, phases × gaps, issues."""
    issues = list(negotiation.issues["issue_id"])
    says = np.zeros((len(days), len(PHASES) * len(GRID), len(issues)))
    for day, known in find_outcomes(negotiation, days).items():
        for issue, outcome in known:
            if outcome not in SETTLED:
                says[day, :, issue] += np.tile(np.log(OUTCOME_LEVELS[outcome]), len(PHASES))
    counted = evidence[evidence["weight"] > 0]
    day = (counted[dated] - days[0]).dt.days.to_numpy().clip(0, len(days) - 1)
    number = pd.Index(issues).get_indexer(counted["issue_id"])
    weight = counted["weight"].to_numpy()
    for report, rows in counted.groupby(REPORT, sort=True, dropna=False).indices.items():
        place, at = np.unique(day[rows] * len(issues) + number[rows], return_inverse=True)
        total = np.bincount(at, weights=weight[rows])
        says[place // len(issues), :, place % len(issues)] += np.outer(total, read_report(*report))
    return says


def read_report(direction: str, chance: float, lean: float, left: float) -> Vector:
    """Return the log-likelihood of one report, as the columns REPORT of the evidence have it."""
    return say(direction, chance, lean, None if np.isnan(left) else left)
