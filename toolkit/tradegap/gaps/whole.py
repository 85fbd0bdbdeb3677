"""Gaps in, the talks as a whole out: three weightings side by side, and what each side says."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from tradegap.gaps.series import measure_gaps
from tradegap.tables import conform, empty

if TYPE_CHECKING:
    from tradegap.talks import Negotiation

TOGETHER = 0.5  # how far the errors of two issues go together
WEIGHTINGS = {"equal": "equal weights", "salience": "salience", "trade": "trade at stake"}
DOLLARS = {"USD bn": 1000.0, "USD m": 1.0}  # units of stakes.csv that are trade, in USD million


def weigh_issues(negotiation: Negotiation) -> pd.DataFrame:
    """Return one row per weighting and issue: its share of the whole.

    By trade, an issue weighs the largest flow in dollars that stakes.csv names for it; an issue
    for which it names none weighs nothing. The talks as a whole are no issue.
    """
    issues = negotiation.issues[negotiation.issues["issue_id"] != "overall"]
    stakes = negotiation.stakes
    amount = pd.to_numeric(stakes["amount"], errors="coerce") * stakes["unit"].map(DOLLARS)
    trade = amount.groupby(stakes["issue_id"]).max()
    weights = (
        pd.Series(1.0, index=issues.index),
        issues["salience"].astype(float),
        issues["issue_id"].map(trade).astype(float).fillna(0.0),
    )
    frames = [
        pd.DataFrame({"weighting": name, "issue_id": issues["issue_id"], "weight": each})
        for name, each in zip(WEIGHTINGS, weights, strict=True)
        if each.sum() > 0
    ]
    if not frames:
        return empty("issue_weights")
    rows = pd.concat(frames)
    rows["weight"] = (rows["weight"] / rows.groupby("weighting")["weight"].transform("sum")).round(
        4
    )
    return conform(rows, "issue_weights")


def combine_gaps(gaps: pd.DataFrame, negotiation: Negotiation) -> pd.DataFrame:
    """Return one row per weighting, day and view: the weighted mean gap of the issues.

    An issue that was dropped is no longer bargained over and leaves the mean; a deferred one stays
    in it with its gap. The band takes the errors of any two issues to go together by TOGETHER.
    """
    rows = gaps[gaps["status"] != "dropped"].merge(weigh_issues(negotiation), on="issue_id")
    if rows.empty:
        return empty("whole_gaps")
    key = ["weighting", "view", "on"]
    rows["weight"] /= rows.groupby(key)["weight"].transform("sum")
    rows = rows[rows["weight"].notna()]
    for side, end in (("below", "gap_low"), ("above", "gap_high")):
        rows[side] = rows["weight"] * (rows[end] - rows["gap"]).abs()
        rows[f"{side}_apart"] = rows[side] ** 2
    rows["gap"] *= rows["weight"]
    sums = rows.groupby(key, as_index=False)[
        ["gap", "below", "above", "below_apart", "above_apart"]
    ].sum()
    reach = {
        side: ((1 - TOGETHER) * sums[f"{side}_apart"] + TOGETHER * sums[side] ** 2) ** 0.5
        for side in ("below", "above")
    }
    whole = sums.assign(
        gap=sums["gap"].round(3),
        gap_low=(sums["gap"] - reach["below"]).clip(0, 1).round(3),
        gap_high=(sums["gap"] + reach["above"]).clip(0, 1).round(3),
    )
    return conform(whole, "whole_gaps")


def rank_issues(gaps: pd.DataFrame, negotiation: Negotiation) -> pd.DataFrame:
    """Return one row per weighting and issue: how much it holds of the gap on the last day.

    Rank 1 holds most. Reads the view 'then'.
    """
    then = gaps[gaps["view"] == "then"]
    now = then[(then["on"] == then["on"].max()) & (then["status"] != "dropped")]
    rows = now.merge(weigh_issues(negotiation), on="issue_id")
    rows = rows[rows["weight"] > 0]
    rows["held"] = rows["weight"] * rows["gap"]
    whole = rows.groupby("weighting")["held"].transform("sum")
    rows["held"] = (rows["held"] / whole).fillna(0.0).round(3)
    rows["rank"] = rows.groupby("weighting")["held"].rank(ascending=False, method="min").astype(int)
    return conform(rows.sort_values(["weighting", "rank", "issue_id"]), "issue_ranks")


def measure_divergence(
    signals: pd.DataFrame, negotiation: Negotiation, *, as_of: date | None = None
) -> pd.DataFrame:
    """Return one row per issue, day, view and pair of sides: what each says, and how far apart.

    `divergence` is the first side's gap less the other's, with a 90 % band from the two bands
    (Zou and Donner 2008, Statistics in Medicine 27(10)), which takes their errors for independent.
    """
    sides = {
        party: measure_gaps(signals, negotiation, as_of=as_of, party=party)
        for party in negotiation.parties
    }
    frames = []
    for one, other in combinations(negotiation.parties, 2):
        key = ["issue_id", "on", "view", "status"]
        rows = sides[one].merge(sides[other], on=key, suffixes=("_party", "_other"))
        gap, far = rows["gap_party"], rows["gap_other"]
        apart = gap - far
        below = ((gap - rows["gap_low_party"]) ** 2 + (rows["gap_high_other"] - far) ** 2) ** 0.5
        above = ((rows["gap_high_party"] - gap) ** 2 + (far - rows["gap_low_other"]) ** 2) ** 0.5
        frames.append(
            rows.assign(
                party=one,
                other=other,
                divergence=apart.round(3),
                divergence_low=(apart - below).clip(-1, 1).round(3),
                divergence_high=(apart + above).clip(-1, 1).round(3),
            )
        )
    return conform(pd.concat(frames, ignore_index=True), "divergence")
