"""A reading in, the signals behind it out: each with its share of the move, and the gap without it.

The share is Aumann and Shapley's (1974, Values of Non-Atomic Games): all reports of the time are
turned up together from nothing to their full weight, and each is credited with what it adds on the
way. It is the one rule whose shares add up to the move, that does not depend on the order in which
reports of a day are taken, and that gives a report split into two just what it gave it whole.
Leave-one-out does not add up where reports confirm each other; an order among reports of one day
would be made up.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tradegap.errors import DataError
from tradegap.gaps.evidence import weigh_signals
from tradegap.gaps.model import GRID, PHASES, filter_days, step_back
from tradegap.gaps.series import (
    REPORT,
    days_of,
    find_outcomes,
    lay_out,
    only_settled,
    read_report,
    tabulate,
)
from tradegap.tables import conform, empty, split_list
from tradegap.talks import Negotiation

if TYPE_CHECKING:
    import numpy.typing as npt

    Vector = npt.NDArray[np.float64]

NODES, STEPS = np.polynomial.legendre.leggauss(12)
NODES, STEPS = (NODES + 1) / 2, STEPS / 2  # from [-1, 1] to [0, 1]
FEWEST = 3  # stories of an outlet that is left out on its own, not with the other small ones


def explain_gap(
    signals: pd.DataFrame,
    negotiation: Negotiation,
    issue_id: str,
    on: date,
    *,
    since: date | None = None,
) -> pd.DataFrame:
    """Return one row per signal that moved an issue's gap between `since` and `on`, as known then.

    `gap_before` is what the gap on `on` would be with nothing said after `since` (the opening of
    the talks, if None); `gap` is what it is; the column `share` adds up to the difference, and
    `gap_without` is the gap without that signal, all others weighed as they are.
    """
    days = days_of(signals, negotiation, on)
    if issue_id not in set(negotiation.issues["issue_id"]):
        known = ", ".join(negotiation.issues["issue_id"])
        raise DataError(f"issue_id: found '{issue_id}'; these talks have {known}")
    evidence = weigh_signals(signals, negotiation, as_of=days[-1].date())
    first = min(max((pd.Timestamp(since) - days[0]).days + 1, 0), len(days) - 1) if since else 0
    told = Told(evidence, negotiation, issue_id, days)
    before = filter_days(told.says[:first], {})[-1] if first else None
    return conform(told.share_out(first, len(days) - 1, before), "shares")


def explain_moves(
    signals: pd.DataFrame, negotiation: Negotiation, *, as_of: date | None = None
) -> pd.DataFrame:
    """Return one row per signal and issue: its share of the move on the day it was published."""
    evidence = weigh_signals(signals, negotiation, as_of=as_of)
    days = days_of(signals, negotiation, as_of)
    frames = []
    for issue_id in negotiation.issues["issue_id"]:
        told = Told(evidence, negotiation, issue_id, days)
        beliefs = filter_days(told.says, {})
        for day in np.unique(told.place[(told.rows["said_of"] == issue_id).to_numpy()]):
            before = beliefs[day - 1] if day else None
            frames.append(told.share_out(int(day), int(day), before))
    return conform(pd.concat([empty("shares"), *frames]), "shares")


class Told:
    """What was said of one issue: the reports that count, their days, and what each says.

    Reports on the day on which the issue was settled, or after it, move nothing and are left out.
    """

    def __init__(
        self,
        evidence: pd.DataFrame,
        negotiation: Negotiation,
        issue_id: str,
        days: pd.DatetimeIndex,
    ) -> None:
        """Read them off the evidence."""
        issues = negotiation.issues[negotiation.issues["issue_id"] == issue_id]
        alone = replace(negotiation, issues=issues.reset_index(drop=True))
        rows = evidence[(evidence["issue_id"] == issue_id) & (evidence["weight"] > 0)]
        settled = [day for day, known in only_settled(find_outcomes(alone, days)).items() if known]
        place = (rows["known_on"] - days[0]).dt.days.to_numpy()
        counts = place < min([len(days), *settled])
        self.days, self.rows, self.place = days, rows[counts], place[counts]
        said = self.rows[REPORT].itertuples(index=False)
        each = np.array([read_report(*report) for report in said]).reshape(
            -1, len(PHASES) * len(GRID)
        )
        self.each = each * self.rows["weight"].to_numpy()[:, None]
        self.facts = lay_out(empty("evidence"), alone, days, "known_on")[:, :, 0]
        self.says = self.facts.copy()
        np.add.at(self.says, self.place, self.each)
        self.says = self.says[:, :, None]

    def share_out(self, first: int, last: int, before: Vector | None) -> pd.DataFrame:
        """Return the rows of some days with their shares of the last one's gap.

        `before` is what was believed the day before the first.
        """
        now = (self.place >= first) & (self.place <= last)
        if not now.any():
            return empty("shares")
        told, place = self.each[now], self.place[now] - first
        base = self.facts[first : last + 1, :, None]
        total = np.zeros_like(base)
        np.add.at(total[:, :, 0], place, told)
        # A column each: nothing said, everything said, everything but one signal.
        ends = base + total * np.r_[0.0, np.ones(len(told) + 1)]
        for number, (day, report) in enumerate(zip(place, told, strict=True), start=2):
            ends[day, :, number] -= report
        gaps = np.tensordot(GRID, spread(ends, before)[-1].sum(axis=0), axes=1)
        along = base + total * NODES
        share = credit(along, spread(along, before), told, place)
        figures = {"share": share, "gap_before": gaps[0], "gap": gaps[1], "gap_without": gaps[2:]}
        rounded = {name: np.round(figure, 4) for name, figure in figures.items()}
        return self.rows[now].assign(on=self.days[last], **rounded)


def spread(says: Vector, before: Vector | None) -> Vector:
    """Return what is believed each day of several runs that all start from one belief."""
    if before is not None:
        before = np.repeat(before, says.shape[2], axis=2)
    return filter_days(says, {}, before)


def credit(along: Vector, beliefs: Vector, told: Vector, place: Vector) -> Vector:
    """Return each report's share: the covariance of its word and the last gap, along the way up.

    The derivative of a mean gap by the weight of a report is the covariance of the gap with the
    report's log-likelihood; the runs of `along` are the nodes of the integral over the way up.
    """
    states = beliefs.shape[1:]
    plain, marked = np.ones(states), np.broadcast_to(GRID[None, :, None], states).copy()
    share = np.zeros(len(told))
    for day in range(len(along) - 1, -1, -1):
        weight = (beliefs[day] * plain).sum(axis=(0, 1))
        mean = (beliefs[day] * marked).sum(axis=(0, 1)) / weight
        for row in np.flatnonzero(place == day):
            said = beliefs[day] * told[row].reshape(states[:2])[:, :, None]
            joint = (said * marked).sum(axis=(0, 1)) / weight
            alone = (said * plain).sum(axis=(0, 1)) / weight
            share[row] = ((joint - mean * alone) * STEPS).sum()
        likelihood = np.exp(along[day]).reshape(states)
        plain, marked = step_back(plain * likelihood), step_back(marked * likelihood)
        size = plain.max(axis=(0, 1))
        plain, marked = plain / size, marked / size
    return share


def vary_gaps(
    signals: pd.DataFrame, negotiation: Negotiation, *, as_of: date | None = None
) -> pd.DataFrame:
    """Return one row per change: how far the gaps as known then move when something is left out.

    Left out, one at a time: each outlet with FEWEST stories or more, all others together, and what
    each side says; and the weights of all cues are halved and doubled, which halves and doubles the
    log-odds that a signal is right.
    """
    days = days_of(signals, negotiation, as_of)
    counted = set(weigh_signals(signals, negotiation, as_of=as_of)["sha256"])
    counting = signals[signals["sha256"].isin(counted)]
    usual = reweigh(counting, negotiation, days)
    talked = usual["status"] == "negotiated"
    stories = counting[counting["publisher"] != ""].groupby("publisher")["story"].nunique()
    outlets = stories[stories >= FEWEST].sort_values(ascending=False, kind="stable").index
    small = stories.index.difference(outlets)
    sides = counting["party"].map(split_list)
    left_out = {f"without {outlet}": counting["publisher"] == outlet for outlet in outlets}
    if len(small):
        left_out[f"without the {len(small)} other outlets"] = counting["publisher"].isin(small)
    left_out |= {
        f"without what {party} says": sides.map(lambda said, own=party: own in said).astype(bool)
        for party in negotiation.parties
    }
    others = [
        (change, int(out.sum()), reweigh(counting[~out], negotiation, days))
        for change, out in left_out.items()
    ]
    others += [
        (f"cue weights {word}", 0, reweigh(counting, negotiation, days, power=power))
        for word, power in (("halved", 0.5), ("doubled", 2.0))
    ]
    rows = []
    for change, count, other in others:
        moved = (other["gap"] - usual["gap"])[talked]
        most = moved.abs().idxmax()
        rows.append(
            {
                "change": change,
                "signals": count,
                "gap_change_mean": moved.abs().mean().round(3),
                "gap_change_most": moved[most].round(3),
                "issue_id": usual.loc[most, "issue_id"],
                "on": usual.loc[most, "on"],
            }
        )
    return conform(pd.DataFrame(rows), "sensitivity")


def reweigh(
    signals: pd.DataFrame,
    negotiation: Negotiation,
    days: pd.DatetimeIndex,
    *,
    power: float = 1.0,
) -> pd.DataFrame:
    """Return one row per issue and day: the gap as known then, the log-odds times `power`."""
    evidence = weigh_signals(signals, negotiation, as_of=days[-1].date())
    odds = (evidence["chance"] / (1 - evidence["chance"])) ** power
    evidence["chance"] = (odds / (1 + odds)).round(2)
    return tabulate(negotiation, days, "then", evidence)
