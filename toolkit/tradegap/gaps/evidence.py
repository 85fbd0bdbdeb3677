"""Accepted signals in, weighted evidence out: how much each report counts, and on what.

Sentences of one story are one report; copies of a story add nothing. Reports of one event (a round,
or a day outside one) share whatever the event itself got wrong, so that n of them count as
n / (1 + (n - 1) SHARED), the effective number of a clustered sample (Kish 1965, Survey Sampling).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tradegap.gaps.counts import count_left
from tradegap.tables import conform, empty, split_list

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradegap.talks import Negotiation

    Vector = npt.NDArray[np.float64]

SHARED = 0.5  # share of a report's error that it has in common with all others of its event
# Weight of a statement about the talks as a whole on each single issue, and of one about the most
# salient issue on the whole.
BEARING = 0.4
REVIEWED = 0.9  # chance that a signal is right that a person decided
OF_SOME = 0.5  # share of that chance where only some of three or more parties close a gap
HOUSE_DAYS = 30  # a source is compared with what the others said in so many days
HOUSE_PRIOR = 10  # signals that a source's lean is drawn towards none with
HOUSE_LIMIT = 1.5  # log-odds; no lean is taken for larger
CLAIM = ["issue_id", "sha256", "start", "end", "direction"]
HOPEFUL = ("closed", "narrowing")


def weigh_signals(
    signals: pd.DataFrame,
    negotiation: Negotiation,
    *,
    as_of: date | None = None,
    party: str = "",
) -> pd.DataFrame:
    """Return one row per signal and issue that it bears on, with its weight.

    Only signals between the parties of this negotiation, published by `as_of`, that say something
    of the gap; with `party`, only what that side says, as it says it. What is said of the talks as
    a whole bears on each issue, too, and what is said of an issue on the whole: `said_of` is what
    it was said of. A row's weight rests on nothing that was published after it.
    """
    rows = choose(signals, negotiation, as_of)
    if party:
        rows = rows[rows["party"].map(lambda parties: party in split_list(parties)).astype(bool)]
        rows = rows.assign(lean=0.0)
    else:
        rows = rows.assign(lean=lean(rows, negotiation))
    rows = rows.assign(issue_id=rows["issues"].map(split_list)).explode("issue_id")
    rows = rows[rows["issue_id"].isin(negotiation.issues["issue_id"])].drop_duplicates(CLAIM)
    rows = rows.assign(said_of=rows["issue_id"], bears=1.0)
    rows = pd.concat([rows, spread(rows, negotiation.issues)], ignore_index=True)
    if rows.empty:
        return empty("evidence")
    late = rows["event_date"].isna() | (rows["event_date"] > rows["published"])
    early = rows["event_date"] < pd.Timestamp(negotiation.opened_on)
    rows["known_on"] = rows["published"]
    rows["happened_on"] = rows["event_date"].mask(late | early, rows["published"])
    rows["chance"] = rows["confidence"].where(rows["review"] == "unreviewed", REVIEWED)
    among = rows["talks"].map(lambda talks: len(split_list(talks)) or len(negotiation.parties))
    is_partial = (among < len(negotiation.parties)) & (rows["direction"] == "closed")
    rows["chance"] *= np.where(is_partial, OF_SOME, 1.0)
    rows["left"] = rows["text"].map(count_left)
    rows["weight"] = (share_events(rows, negotiation) * rows["bears"]).round(4)
    # To the nearest .05: finer than the coder's chances were found to be honest.
    rows["chance"] = (rows["chance"] * 20).round().clip(1, 19) / 20
    rows = rows.sort_values(["issue_id", "known_on", "sha256", "start", "direction"])
    return conform(rows, "evidence")


def choose(signals: pd.DataFrame, negotiation: Negotiation, as_of: date | None) -> pd.DataFrame:
    """Return the signals that say something of the gap between these parties."""
    rows = signals[
        (signals["scope"] == "between")
        & (signals["direction"] != "none")
        & (signals["published"] >= pd.Timestamp(negotiation.opened_on))
    ]
    if as_of:
        rows = rows[rows["published"] <= pd.Timestamp(as_of)]
    return rows[rows["talks"].map(negotiation.covers).astype(bool)]


def spread(rows: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """Return one row per claim and issue that it bears on without naming it.

    A claim about the whole bears on every issue. One about an issue bears on the whole, the more
    the more salient the issue is beside the others; one about several, by the most salient. An
    issue that has an outcome is out of this: what was taken out of the talks holds up nothing.
    """
    single = issues[issues["issue_id"] != "overall"].set_index("issue_id")
    if single.empty:
        return rows.iloc[:0]
    is_whole = rows["issue_id"] == "overall"
    down = rows[is_whole].drop(columns="issue_id").merge(single.index.to_frame(), how="cross")
    up = rows[~is_whole & ("overall" in set(issues["issue_id"]))].assign(issue_id="overall")
    up["bears"] = up["said_of"].map(single["salience"] / max(single["salience"].max(), 1))
    both = pd.concat([down.assign(part=down["issue_id"]), up.assign(part=up["said_of"])])
    ended_on = both["part"].map(single["outcome_on"].where(single["outcome"] != ""))
    both = both[~(both["published"] >= ended_on)]
    both = both.sort_values("bears", ascending=False, kind="stable")
    both = both.drop_duplicates(CLAIM).merge(rows[CLAIM], how="left", indicator=True)
    both["bears"] = both["bears"].astype(float) * BEARING
    return both[both["_merge"] == "left_only"]


def share_events(rows: pd.DataFrame, negotiation: Negotiation) -> pd.Series:
    """Return the weight of each row: what its report adds to those known before, in equal parts.

    A story counts on the day it was first published; its later copies have weight 0.
    """
    rows = rows.assign(is_named=rows["said_of"] == rows["issue_id"])
    story = ["issue_id", "is_named", "story"]
    first = rows.groupby(story)["known_on"].transform("min") == rows["known_on"]
    fresh = rows.loc[first, [*story, "known_on"]]
    fresh["event"] = name_events(rows.loc[first, "happened_on"], negotiation)
    reports = fresh.drop_duplicates(story)
    known = reports.groupby(["issue_id", "is_named", "event"])["known_on"]
    before, after = known.rank(method="min") - 1, known.rank(method="max")
    fresh["each"] = (effective(after) - effective(before)) / (after - before)
    by_story = fresh.groupby(story)["each"]
    parts = by_story.transform("max") / by_story.transform("size")
    return parts.reindex(rows.index, fill_value=0.0)


def effective(reports: pd.Series) -> pd.Series:
    """Return how many independent reports so many of one event are worth.

    >>> effective(pd.Series([0, 1, 2, 4])).round(2).tolist()
    [0.0, 1.0, 1.33, 1.6]
    """
    return reports / (1 + (reports - 1) * SHARED)


def name_events(happened_on: pd.Series, negotiation: Negotiation) -> pd.Series:
    """Return the event of each report: the first day of the round it was made in, or its day."""
    named = happened_on.copy()
    for each in negotiation.rounds.itertuples():
        last = each.ended_on + pd.Timedelta(days=1)
        named = named.mask(happened_on.between(each.held_on, last), each.held_on)
    return named


def lean(rows: pd.DataFrame, negotiation: Negotiation) -> Vector:
    """Return how hopeful the sources of each signal have sounded before it, in log-odds.

    A source is an outlet, or a side that speaks. Its lean is how much oftener than the others in
    the HOUSE_DAYS before it called the gap closed or narrowing, drawn towards 0 while it has said
    little. Nothing published on the day or later enters.
    """
    if rows.empty:
        return np.zeros(0)
    day = (rows["published"] - pd.Timestamp(negotiation.opened_on)).dt.days.to_numpy()
    hopeful = rows["direction"].isin(HOPEFUL).to_numpy(dtype=float)
    total = np.zeros(len(rows))
    for column in ("publisher", "party"):
        source, names = pd.factorize(rows[column])
        said, good = np.zeros((2, len(names), day.max() + 1))
        np.add.at(said, (source, day), 1.0)
        np.add.at(good, (source, day), hopeful)
        others = [recent(each.sum(axis=0) - each) for each in (said, good)]
        expected = (others[1] + 1) / (others[0] + 2)
        surplus = np.cumsum(good - said * expected, axis=1)
        shift = surplus / (np.cumsum(said, axis=1) + HOUSE_PRIOR)
        shift[np.asarray(names) == ""] = 0.0
        total += np.where(day > 0, shift[source, np.maximum(day - 1, 0)], 0.0)
    # Near even odds a difference d of two shares is 4 d in log-odds.
    return np.asarray((4 * total).clip(-HOUSE_LIMIT, HOUSE_LIMIT).round(1))


def recent(counts: Vector) -> Vector:
    """Return the sums over the HOUSE_DAYS that end on each day (columns are days)."""
    sums = np.cumsum(counts, axis=1)
    before = np.zeros_like(sums)
    before[:, HOUSE_DAYS:] = sums[:, :-HOUSE_DAYS]
    return sums - before
