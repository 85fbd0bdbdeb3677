"""Beside the record: every negotiation on record in one hand, on scales that they share.

Each is followed from its opening to the day on which the talks as a whole, or the one issue that
is compared, were settled. Where nothing was reported for a while there is no line to draw.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from tradegap.charts import SILENT_DAYS
from tradegap.documents import cluster_stories, load_documents
from tradegap.errors import DataError
from tradegap.gaps import combine_gaps
from tradegap.gaps.model import read_confusion
from tradegap.kept import make_once
from tradegap.record import build_record, read_day, read_signals
from tradegap.tables import conform, empty, read_table, split_list
from tradegap.talks import (
    Negotiation,
    list_negotiations,
    project_root,
    read_issues,
    read_negotiation,
    read_parties,
)
from tradegap.trial import end_issues, hold_moments, measure_blind

__all__ = ["Comparison", "open_comparison"]

WHOLE = "all"  # stands for the mean of the issues, with equal weights, among their series
OUTCOMES = ("agreed", "partly agreed", "drifted", "broken off", "going on")


@dataclass(frozen=True)
class Comparison:
    """Several negotiations side by side, on the talks as a whole or on one issue.

    `talks`, `course`, `rounds`, `standings`, `endings` and `turns` are frames of the tables
    `compared_talks`, `compared_course`, `compared_rounds`, `standings`, `endings` and `turns`.
    `this` is the negotiation that the others are held against, as it stood `on` a day, at `gap`.
    """

    issue_id: str
    this: str
    on: date
    gap: float
    talks: pd.DataFrame
    course: pd.DataFrame
    rounds: pd.DataFrame
    standings: pd.DataFrame
    endings: pd.DataFrame
    turns: pd.DataFrame


def open_comparison(
    *,
    issue: str = "",
    talks: str = "",
    as_of: str = "",
    outcome: str = "all",
    party: str = "",
    least_days: int = 0,
    most_days: int = 0,
    documents: str = "notes",
) -> Comparison:
    """Return the negotiations that pass the filters, side by side.

    `issue` is a code of data/issues.csv; without it the talks as a whole are compared. `talks` is
    the negotiation to hold the others against, `as_of` the day on which it stands; without them it
    is the one that opened last, on its last day of bargaining. `most_days` 0 is any length.
    """
    refuse_strange(issue, outcome, party)
    series, endings, turns, rows = {}, [empty("endings")], [empty("turns")], []
    for slug in list_negotiations():
        negotiation = read_negotiation(slug)
        if issue and issue not in set(negotiation.issues["issue_id"]):
            continue
        followed = follow(negotiation, documents)
        if (issue or WHOLE) not in followed["series"]:
            continue
        course, row = trace(negotiation, followed["series"][issue or WHOLE], issue)
        series[slug] = course
        rows.append(row | {each: followed[each] for each in ("documents", "signals")})
        for frames, name in ((endings, "endings"), (turns, "turns")):
            if followed[name]:
                frames.append(conform(pd.DataFrame(followed[name]), name))
    if not rows:
        raise DataError(f"issue: no negotiation on record has '{issue}'")
    listed = name_apart(pd.DataFrame(rows))
    this = talks or listed.sort_values("opened_on", kind="stable")["talks"].iloc[-1]
    if this not in series:
        raise DataError(f"talks: found '{this}'; it takes one of {', '.join(series)}")
    own = series[this]
    day = read_day(as_of, "as_of") if as_of else own["on"].iloc[max(len(own) - 2, 0)].date()
    upto = own[own["on"] <= pd.Timestamp(day)]
    if upto.empty:
        raise DataError(f"as_of: found {day}; {this} opened on {own['on'].iloc[0]:%Y-%m-%d}")
    kept = listed[
        (listed["outcome"].eq(outcome) | (outcome == "all"))
        & listed["parties"].map(lambda each: set(split_list(party)) <= set(split_list(each)))
        & (listed["days"] >= least_days)
        & ((listed["days"] <= most_days) | (most_days == 0))
    ]
    if kept.empty:
        raise DataError(
            f"outcome, party, least_days, most_days: no negotiation is '{outcome}', has"
            f" '{party or 'any party'}' and lasted {least_days} to {most_days or 'any'} days"
        )
    slugs = list(kept["talks"])
    course = pd.concat([series[slug] for slug in slugs], ignore_index=True)
    ended, turned = (
        pd.concat(frames).loc[
            lambda rows: rows["talks"].isin(slugs) & (rows["issue_id"].eq(issue) | (issue == ""))
        ]
        for frames in (endings, turns)
    )
    missed = ended[ended["is_miss"]].groupby("talks").size()
    gap, days = float(upto["gap"].iloc[-1]), len(upto) - 1
    return Comparison(
        issue_id=issue,
        this=this,
        on=upto["on"].iloc[-1].date(),
        gap=gap,
        talks=conform(
            kept.assign(misses=kept["talks"].map(missed).fillna(0).astype(int)), "compared_talks"
        ),
        course=conform(course, "compared_course"),
        rounds=read_by_round({slug: series[slug] for slug in slugs}),
        standings=stand_beside(
            {slug: series[slug] for slug in slugs if slug != this}, gap=gap, days=days
        ),
        endings=conform(ended, "endings"),
        turns=conform(turned, "turns"),
    )


def refuse_strange(issue: str, outcome: str, party: str) -> None:
    """Raise DataError with every filter that names what no list knows."""
    faults = []
    codes = list(read_issues()["issue_id"])
    if issue and issue not in codes:
        faults.append(f"issue: found '{issue}'; it takes one of {', '.join(codes)}")
    if outcome not in ("all", *OUTCOMES):
        faults.append(f"outcome: found '{outcome}'; it takes one of all, {', '.join(OUTCOMES)}")
    known = list(read_parties()["party"])
    faults += [
        f"party: found '{each}'; data/parties.csv has {', '.join(known)}"
        for each in split_list(party)
        if each not in known
    ]
    if faults:
        raise DataError(faults)


def follow(negotiation: Negotiation, documents: str) -> dict[str, Any]:
    """Return a negotiation's series by issue, its endings and turns: made once, then kept.

    Its folder is read in any case, so that a page knows what it is made of.
    """
    texts = load_documents(negotiation.folder, private=documents == "all")
    signals = read_signals(negotiation, texts, cluster_stories(texts))
    folder = project_root() / "data" / "calibration"
    moments = read_table(folder / "moments.csv", "moments")
    moments = moments[moments["talks"] == negotiation.slug]

    def measure() -> dict[str, Any]:
        record = build_record(negotiation, texts, None)
        blind = measure_blind(record)
        turns, endings = hold_moments(moments, blind), end_issues(record, blind)
        then = record.gaps[record.gaps["view"] == "then"]
        whole = combine_gaps(record.gaps, negotiation)
        whole = whole[(whole["view"] == "then") & (whole["weighting"] == "equal")]
        told = then.groupby("on", as_index=False)["signals"].sum()
        series = {str(issue): pack(rows) for issue, rows in then.groupby("issue_id", sort=False)}
        if len(whole):
            series[WHOLE] = pack(whole.merge(told, on="on"))
        return {
            "series": series,
            "endings": json.loads(endings.to_json(orient="records", date_format="iso")),
            "turns": json.loads(turns.to_json(orient="records", date_format="iso")),
        }

    parts = [json.dumps(read_confusion()), moments.to_csv(), signals.to_csv()]
    for each in fields(negotiation):
        value = getattr(negotiation, each.name)
        if each.name != "folder":
            parts.append(value.to_csv() if isinstance(value, pd.DataFrame) else repr(value))
    followed: dict[str, Any] = make_once(parts, measure)
    return followed | {"documents": len(texts), "signals": len(signals)}


def pack(gaps: pd.DataFrame) -> dict[str, Any]:
    """Return a series day by day in whole thousandths, and on which days something was said."""
    rows = gaps.sort_values("on")
    spoke = rows["signals"].diff().fillna(rows["signals"]) > 0
    figures = {
        name: (rows[name] * 1000).round().astype(int).tolist()
        for name in ("gap", "gap_low", "gap_high")
    }
    return figures | {
        "first": f"{rows['on'].iloc[0]:%Y-%m-%d}",
        "spoke": np.flatnonzero(spoke.to_numpy()).tolist(),
    }


def trace(
    negotiation: Negotiation, packed: dict[str, Any], issue: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a negotiation's course, one row per day, and its row among the others."""
    days = pd.date_range(packed["first"], periods=len(packed["gap"]), unit="us")
    outcome, settled_on = how_ended(negotiation, issue, days)
    count = max(int(np.searchsorted(days.to_numpy(), settled_on.to_numpy())), 1) + 1
    days = days[:count]
    spoke = np.array([each for each in packed["spoke"] if each < len(days)], dtype=int)
    number = np.arange(len(days))
    last = np.searchsorted(spoke, number, side="right") - 1
    is_silent = number - np.append(spoke, -SILENT_DAYS - 1)[last] > SILENT_DAYS
    starts = ~is_silent & np.concatenate([[True], is_silent[:-1]])
    held = negotiation.rounds.sort_values("ended_on")["ended_on"].to_numpy()
    course = pd.DataFrame(
        {
            "talks": negotiation.slug,
            "on": days,
            "day": number,
            "share": (number / max(len(days) - 1, 1)).round(4),
            "to_end": number - (len(days) - 1),
            "rounds": np.searchsorted(held, days.to_numpy(), side="left"),
            **{
                name: np.array(packed[name][: len(days)]) / 1000
                for name in ("gap", "gap_low", "gap_high")
            },
            "stretch": np.where(is_silent, 0, np.cumsum(starts)),
        }
    )
    row = {
        "talks": negotiation.slug,
        "title": negotiation.title,
        "parties": ";".join(negotiation.parties),
        "outcome": outcome,
        "opened_on": days[0],
        "settled_on": days[-1],
        "days": len(days) - 1,
        "rounds": int(course["rounds"].iloc[-1]),
        "reports": len(spoke),
        "silent_share": round(float(is_silent.mean()), 3),
        "gap_half": course["gap"].iloc[len(days) // 2],
        "gap_before": course["gap"].iloc[max(len(days) - 2, 0)],
    }
    return course, row


def how_ended(
    negotiation: Negotiation, issue: str, days: pd.DatetimeIndex
) -> tuple[str, pd.Timestamp]:
    """Return how the talks or the issue ended and on what day that was known.

    Talks end when their outcome is known, not when what was agreed comes into force.
    """
    ended = negotiation.issues.set_index("issue_id")
    code = issue or "overall"
    own, whole = ended.loc[code], ended.loc["overall"]
    outcome = str(own["outcome"]) if issue else negotiation.outcome
    settled_on = own["outcome_on"] if pd.notna(own["outcome_on"]) else whole["outcome_on"]
    if pd.isna(settled_on):
        settled_on = pd.Timestamp(negotiation.ended_on or days[-1])
    ended_as = outcome or negotiation.outcome or "going on"
    return ended_as, min(max(settled_on, days[0]), days[-1])


def name_apart(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the negotiations with a short name each: parties and years, the folder if need be."""
    first, last = rows["opened_on"].dt.year, rows["settled_on"].dt.year
    years = first.astype(str).where(
        first == last, first.astype(str) + "–" + (last % 100).map("{:02d}".format)
    )
    names = rows["parties"].str.replace(";", "–") + " " + years
    return rows.assign(name=names.where(~names.duplicated(keep=False), names + " " + rows["talks"]))


def read_by_round(series: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per negotiation and round: the gap on the day after it."""
    rows = []
    for course in series.values():
        held = course["rounds"].to_numpy()
        # Two rounds that were over on one day have one reading.
        numbers = np.arange(1, held[-1] + 1)
        rows.append(course.iloc[np.searchsorted(held, numbers)].assign(rounds=numbers))
    return conform(pd.concat(rows), "compared_rounds") if rows else empty("compared_rounds")


def stand_beside(series: dict[str, pd.DataFrame], *, gap: float, days: int) -> pd.DataFrame:
    """Return one row per negotiation: where it stood after so many days, and since when so near.

    Near is a gap as small as the one given, or smaller.
    """
    rows = []
    for slug, course in series.items():
        near = course[course["gap"] <= gap]
        reached = near.iloc[0] if len(near) else None
        then = course[course["day"] == days]
        rows.append(
            {
                "talks": slug,
                "gap_then": then["gap"].iloc[0] if len(then) else float("nan"),
                "near_on": reached["on"] if reached is not None else pd.NaT,
                "near_day": float(reached["day"]) if reached is not None else float("nan"),
                "days_left": float(-reached["to_end"]) if reached is not None else float("nan"),
            }
        )
    return conform(pd.DataFrame(rows), "standings") if rows else empty("standings")


def anchor(comparison: Comparison) -> str:
    """Return where on a negotiation's page what is said of it here leads."""
    return f"#evidence-{comparison.issue_id}" if comparison.issue_id else ""
