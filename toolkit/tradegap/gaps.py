"""Fourth stage: accepted signals in, a gap per issue and day out, with a band.

The gap g of an issue runs from 0 (agreed) to 1 (as far apart as at the start of the talks). It is
never observed; signals are evidence on it, of two kinds:

- of its level: *closed* says that g is near 0; *open* says that g is not near 0, and no more;
- of its change: *narrowing* says that g is now somewhere between two thirds and all of what it was;
  *widening*, that the distance left to 1 has shrunk in that way; *closed*, that g has come down to
  near 0 from wherever it was.

Between signals g walks at random by DAILY_STEP a day, so that silence widens the band. All of it is
a hidden Markov model on a grid of 101 values, solved exactly by the forward-backward recursions
(Rabiner 1989, A tutorial on hidden Markov models, Proc. IEEE 77(2), eq. 19-27): no sampling, the
same figures every time. `docs/method.md` says why each constant is what it is.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tradegap.tables import conform, empty, split_list

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradegap.talks import Negotiation

    Vector = npt.NDArray[np.float64]

__all__ = ["measure_gaps", "read_gap", "weigh_signals"]

GRID = np.linspace(0.0, 1.0, 101)
DAILY_STEP = 0.015  # standard deviation of the walk: 0.08 in a month, 0.29 in a year
START_SPREAD = 0.05  # how far below 1 the talks may stand on the day they open
BEARING = 0.3  # weight of a statement about the talks as a whole on each single issue
BAND = (0.05, 0.95)

LEVELS = {
    "closed": 0.02 + 0.98 * np.exp(-GRID / 0.08),
    "open": 0.05 + 0.95 * (1 - np.exp(-GRID / 0.25)),
}
OUTCOME_LEVELS = {
    "agreed": np.exp(-GRID / 0.02),
    "partly agreed": np.exp(-0.5 * ((GRID - 0.25) / 0.12) ** 2),
    "deferred": LEVELS["open"],
    "dropped": LEVELS["open"],
    "broken off": LEVELS["open"],
}
# From such an outcome on the gap no longer walks, nor do reports move it.
SETTLED = ("agreed", "partly agreed")


def weigh_signals(
    signals: pd.DataFrame, negotiation: Negotiation, *, as_of: date | None = None
) -> pd.DataFrame:
    """Return one row per signal and issue that it bears on, with its weight.

    Only signals between the parties of this negotiation, published by `as_of`, that say something
    of the gap. All signals of one story on one issue share the weight of one report, so that a
    reprint or a repeated sentence adds nothing; of several stories on one day the strongest counts
    in full, the next by half, the next by a third. Statements about the talks as a whole bear on
    each issue, too, with BEARING of their weight.
    """
    rows = signals[
        (signals["scope"] == "between")
        & (signals["direction"] != "none")
        & (signals["published"] >= pd.Timestamp(negotiation.opened_on))
    ]
    if as_of:
        rows = rows[rows["published"] <= pd.Timestamp(as_of)]
    ours: tuple[set[str], ...] = (set(negotiation.parties), set())
    rows = rows[rows["talks"].map(lambda talks: set(split_list(talks)) in ours).astype(bool)]
    rows = rows.assign(issue_id=rows["issues"].map(split_list)).explode("issue_id")
    tracked = negotiation.issues["issue_id"]
    rows = rows[rows["issue_id"].isin(tracked)].assign(is_overall=False)
    whole = rows[rows["issue_id"] == "overall"]
    spread = whole.drop(columns="issue_id").merge(
        pd.DataFrame({"issue_id": [issue for issue in tracked if issue != "overall"]}), how="cross"
    )
    key = ["issue_id", "sha256", "start", "end", "direction"]
    rows = rows.drop_duplicates(key)
    spread = spread.merge(rows[key], how="left", indicator=True)
    spread = spread[spread.pop("_merge") == "left_only"].assign(is_overall=True)
    rows = pd.concat([rows, spread], ignore_index=True)
    if rows.empty:
        return empty("evidence")
    late = rows["event_date"].isna() | (rows["event_date"] > rows["published"])
    early = rows["event_date"] < pd.Timestamp(negotiation.opened_on)
    rows["known_on"] = rows["published"]
    rows["happened_on"] = rows["event_date"].mask(late | early, rows["published"])
    story = ["issue_id", "story", "is_overall"]
    rows["weight"] = rows["confidence"] / rows.groupby(story)["start"].transform("size")
    totals = rows.groupby([*story, "known_on"], as_index=False)["weight"].sum()
    totals = totals.sort_values(["weight", "story"], ascending=[False, True], kind="stable")
    totals["turn"] = totals.groupby(["issue_id", "is_overall", "known_on"]).cumcount() + 1
    rows = rows.merge(totals[[*story, "known_on", "turn"]], on=[*story, "known_on"])
    rows["weight"] /= rows["turn"]
    rows.loc[rows["is_overall"], "weight"] *= BEARING
    rows["weight"] = rows["weight"].round(4)
    rows = rows.sort_values(["issue_id", "known_on", "sha256", "start", "direction"])
    return conform(rows, "evidence")


def measure_gaps(
    signals: pd.DataFrame, negotiation: Negotiation, *, as_of: date | None = None
) -> pd.DataFrame:
    """Return one row per issue, day and view: the gap with its 90 % band.

    The days run from the opening of the talks to the last thing on record (their end, a milestone,
    a round, a publication), or to `as_of` if that is earlier. In the view 'then' a day's figure
    uses nothing that was published later; in 'hindsight' it uses everything.
    """
    evidence = weigh_signals(signals, negotiation, as_of=as_of)
    days = days_of(signals, negotiation, as_of)
    frames = []
    for issue in negotiation.issues.itertuples():
        reports = evidence[evidence["issue_id"] == issue.issue_id]
        settled = pd.isna(issue.outcome_on) or issue.outcome_on > days[-1]
        outcome, outcome_on = ("", pd.NaT) if settled else (issue.outcome, issue.outcome_on)
        for view, dated in (("then", "known_on"), ("hindsight", "happened_on")):
            beliefs = infer(reports, days, dated, outcome, outcome_on, smooth=view == "hindsight")
            low, high = (quantile(beliefs, share) for share in BAND)
            if view == "then":
                counted = np.searchsorted(np.sort(reports["known_on"]), days, side="right")
            else:
                counted = np.full(len(days), len(reports))
            frames.append(
                pd.DataFrame(
                    {
                        "issue_id": issue.issue_id,
                        "on": days,
                        "view": view,
                        "gap": (beliefs @ GRID).clip(0, 1).round(3),
                        "gap_low": low.round(3),
                        "gap_high": high.round(3),
                        "status": np.where(days >= outcome_on, outcome, "negotiated")
                        if outcome
                        else "negotiated",
                        "signals": counted,
                    }
                )
            )
    return conform(pd.concat(frames, ignore_index=True), "gaps") if frames else empty("gaps")


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


def infer(
    reports: pd.DataFrame,
    days: pd.DatetimeIndex,
    dated: str,
    outcome: str,
    outcome_on: pd.Timestamp,
    *,
    smooth: bool,
) -> Vector:
    """Return what is believed of the gap: one row per day, one column per value of GRID."""
    place = np.clip((reports[dated] - days[0]).dt.days.to_numpy(), 0, len(days) - 1)
    weights: dict[int, dict[str, float]] = {}
    for day, direction, weight, is_overall in zip(
        place, reports["direction"], reports["weight"], reports["is_overall"], strict=True
    ):
        # What is said of the talks as a whole no longer covers an issue that was taken out of them.
        if is_overall and outcome and days[day] >= outcome_on:
            continue
        of_day = weights.setdefault(int(day), {})
        of_day[direction] = of_day.get(direction, 0.0) + weight
    outcome_day = int((outcome_on - days[0]).days) if outcome else len(days)
    outcome_day = max(outcome_day, 0)
    settled_from = outcome_day if outcome in SETTLED else len(days)

    forward = np.empty((len(days), len(GRID)))
    likelihoods: dict[int, Vector] = {}
    belief = np.exp((GRID - 1) / START_SPREAD)
    belief /= belief.sum()
    for day in range(len(days)):
        if 0 < day < settled_from:
            belief = WALK @ belief
        if day == settled_from:
            belief = OUTCOME_LEVELS[outcome] / OUTCOME_LEVELS[outcome].sum()
        elif day < settled_from and (day in weights or day == outcome_day):
            likelihoods[day] = likelihood(weights.get(day, {}))
            if day == outcome_day:
                likelihoods[day] = likelihoods[day] * OUTCOME_LEVELS[outcome]
            belief = likelihoods[day] * move(belief, weights.get(day, {}))
            belief /= belief.sum()
        forward[day] = belief
    if not smooth:
        return forward
    smoothed = forward.copy()
    message = np.ones(len(GRID))
    for day in range(min(len(days), settled_from) - 1, 0, -1):
        if day in likelihoods:
            message = move(likelihoods[day] * message, weights.get(day, {}), back=True)
        message = WALK.T @ message
        message /= message.max()
        smoothed[day - 1] = forward[day - 1] * message
        smoothed[day - 1] /= smoothed[day - 1].sum()
    return smoothed


def likelihood(weights: dict[str, float]) -> Vector:
    """Return how likely a day's reports of the level are at each value of GRID."""
    log = sum(
        (weights.get(direction, 0.0) * np.log(level) for direction, level in LEVELS.items()),
        start=np.zeros(len(GRID)),
    )
    return np.asarray(np.exp(log))


def move(belief: Vector, weights: dict[str, float], *, back: bool = False) -> Vector:
    """Return a belief after a day's reports of change; `back`, a message before them."""
    shifts = [("narrowing", NARROWED), ("widening", WIDENED), ("closed", CLOSED)]
    for direction, shift in reversed(shifts) if back else shifts:
        share = 1 - np.exp(-weights.get(direction, 0.0) * 2)
        if share:
            shifted = (shift.T if back else shift) @ belief
            belief = np.asarray((1 - share) * belief + share * shifted)
    return belief


def quantile(beliefs: Vector, share: float) -> Vector:
    """Return the value of the gap below which `share` of each row's belief lies."""
    below = np.cumsum(beliefs, axis=1)
    at = np.argmax(below >= share, axis=1)
    rows = np.arange(len(beliefs))
    before = np.where(at > 0, below[rows, at - 1], 0.0)
    part = (share - before) / np.maximum(below[rows, at] - before, 1e-12)
    step = GRID[1]
    return np.asarray(np.clip(GRID[at] - step / 2 + np.clip(part, 0, 1) * step, 0.0, 1.0))


def walk_matrix() -> Vector:
    """Return a day's random walk on GRID, reflected at 0 and 1; columns sum to 1."""
    after, before = GRID[:, None], GRID[None, :]

    def chance(value: Vector) -> Vector:
        return np.asarray(np.exp(-0.5 * ((value - before) / DAILY_STEP) ** 2))

    # A step past an end comes back from it; the ends themselves are not their own mirror image.
    mirrored = chance(-after) * (after > 0) + chance(2 - after) * (after < 1)
    reached = chance(after) + mirrored
    return np.asarray(reached / reached.sum(axis=0))


def narrowed_matrix() -> Vector:
    """Return what a report of narrowing does: the gap is even on [two thirds, all] of before."""
    after, before = GRID[:, None], GRID[None, :]
    inside = (after >= before * 2 / 3 - 1e-9) & (after <= before + 1e-9)
    return np.asarray(inside / inside.sum(axis=0))


WALK = walk_matrix()
NARROWED = narrowed_matrix()
WIDENED = NARROWED[::-1, ::-1]
CLOSED = np.outer(LEVELS["closed"] / LEVELS["closed"].sum(), np.ones(len(GRID)))
