"""Between the flow and the page: everything known of one negotiation by a day, in one hand.

`open_record` runs the stages in their order on one folder; a notebook takes its tables from here.
`open_brief` narrows a record down to one round, one day or one story.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from tradegap.coding import find_uncoded
from tradegap.documents import Document, cluster_stories, load_documents, read_documents
from tradegap.errors import DataError, DocumentError
from tradegap.excerpts import excerpt_signals
from tradegap.gaps import measure_gaps, read_gap, weigh_signals
from tradegap.imports import join_signals, read_imported
from tradegap.kept import code_once
from tradegap.review import accept_signals, read_ledger
from tradegap.tables import empty, split_list
from tradegap.talks import Negotiation, list_negotiations, read_issues, read_negotiation

__all__ = ["Brief", "Record", "open_brief", "open_record", "read_rounds"]

COLLECTIONS = ("all", "notes")


@dataclass(frozen=True)
class Record:
    """One negotiation as known on a day.

    `documents`, `signals`, `evidence` and `gaps` are frames of the declared tables `documents`,
    `accepted_signals`, `evidence` and `gaps`. `shown` are the signals as a page may show them: of
    private documents only excerpts.
    """

    negotiation: Negotiation
    as_of: date
    documents: pd.DataFrame
    signals: pd.DataFrame
    shown: pd.DataFrame
    evidence: pd.DataFrame
    gaps: pd.DataFrame


@dataclass(frozen=True)
class Brief:
    """One round, one day or one story: what was said in it, and where the talks stood around it.

    `signals`, and `shown` as in a record, are those of the brief alone. `before` and `after` are
    rows of the table `gaps`, the reading of the day before and that of the day after, when the
    papers are out. `record` is None for a story whose talks have no folder; `before` and `after`
    are then empty.
    """

    title: str
    first_on: date
    last_on: date
    signals: pd.DataFrame
    shown: pd.DataFrame
    record: Record | None
    before: pd.DataFrame
    after: pd.DataFrame


def open_record(talks: str, *, as_of: str = "", documents: str = "all") -> Record:
    """Return everything known of a negotiation by `as_of` (YYYY-MM-DD; empty for the latest).

    `documents` is "all", or "notes" to leave an analyst's own documents out. Raises DataError where
    the folder, the date or the choice of documents does not stand.
    """
    return record_of(read_negotiation(talks), as_of=as_of, documents=documents)


def record_of(negotiation: Negotiation, *, as_of: str, documents: str) -> Record:
    """Return everything known of a negotiation that has been read."""
    if documents not in COLLECTIONS:
        raise DataError(f"documents: found '{documents}'; it takes {' or '.join(COLLECTIONS)}")
    cutoff = read_day(as_of, "as_of") if as_of else None
    texts = load_documents(negotiation.folder, private=documents == "all")
    if cutoff:
        texts = [each for each in texts if each.published <= cutoff]
    return build_record(negotiation, texts, cutoff)


def build_record(negotiation: Negotiation, texts: list[Document], cutoff: date | None) -> Record:
    """Return the record of a negotiation from these documents alone."""
    listed = cluster_stories(texts)
    signals = read_signals(negotiation, texts, listed)
    gaps = measure_gaps(signals, negotiation, as_of=cutoff)
    return Record(
        negotiation=negotiation,
        as_of=gaps["on"].max().date() if len(gaps) else negotiation.opened_on,
        documents=listed,
        signals=signals,
        shown=excerpt_signals(signals, texts),
        evidence=weigh_signals(signals, negotiation, as_of=cutoff),
        gaps=gaps,
    )


def read_signals(
    negotiation: Negotiation, texts: list[Document], listed: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per accepted signal of these documents of a negotiation."""
    coded = code_once(texts, talks=negotiation.parties)
    found = join_signals(coded, read_imported(negotiation.folder, texts))
    return accept_signals(found, read_ledger(negotiation.folder), listed)


def open_brief(
    talks: str = "", *, day: str = "", story: str = "", published: str = "", documents: str = "all"
) -> Brief:
    """Return the brief of one round, one day or one story.

    `day` is a day (YYYY-MM-DD) or the code of a round in the negotiation's rounds.csv; `story` is a
    file of an analyst's own instead, dated by itself or by `published`. Raises DataError or
    DocumentError where they do not stand.
    """
    if story:
        return brief_story(Path(story), talks, published)
    negotiation = read_negotiation(talks)
    rounds = negotiation.rounds
    held = rounds[rounds["round_id"] == day]
    if len(held):
        row = held.iloc[0]
        title = f"{row['round']}, {row['venue']}" if row["venue"] else row["round"]
        first_on, last_on = row["held_on"].date(), row["ended_on"].date()
    else:
        first_on = last_on = read_day(
            day, "day", or_else=f"a round: {', '.join(rounds['round_id'])}"
        )
        title = negotiation.title
    # Papers report in the morning after: a brief waits for them, as the round picture does.
    morning = str(last_on + timedelta(days=1))
    record = record_of(negotiation, as_of=morning, documents=documents)
    told = record.signals
    happened = told["event_date"].fillna(told["published"])
    within = (told["published"] >= pd.Timestamp(first_on)) & (happened <= pd.Timestamp(last_on))
    return Brief(
        title=title,
        first_on=first_on,
        last_on=last_on,
        signals=told[within].reset_index(drop=True),
        shown=record.shown[within].reset_index(drop=True),
        record=record,
        before=read_gap(record.gaps, first_on - timedelta(days=1)),
        after=read_gap(record.gaps, record.as_of),
    )


def brief_story(path: Path, talks: str, published: str) -> Brief:
    """Return the brief of one file, on the talks given or those whose parties fit."""
    day = read_day(published, "published") if published else None
    texts, refusals = read_documents([path], published=day)
    if not texts:
        raise DocumentError(refusals or f"{path}: nothing to read there")
    if len(uncoded := find_uncoded(texts)) == len(texts):
        raise DocumentError(uncoded)
    texts = [replace(each, is_private=True, name=Path(each.name).name) for each in texts]
    first_on = min(each.published for each in texts)
    last_on = max(each.published for each in texts)
    record = None
    parties = read_negotiation(talks).parties if talks else ()
    coded = code_once(texts, talks=parties)
    listed = cluster_stories(texts)
    signals = accept_signals(coded, empty("decisions"), listed)
    slug = talks or match_talks(signals, last_on)
    before = after = pd.DataFrame()
    if slug:
        negotiation = read_negotiation(slug)
        known = [each for each in load_documents(negotiation.folder) if each.published <= last_on]
        without = build_record(negotiation, known, last_on)
        hashes = {each.sha256 for each in known}
        record = build_record(
            negotiation, known + [each for each in texts if each.sha256 not in hashes], last_on
        )
        before, after = read_gap(without.gaps, last_on), read_gap(record.gaps, last_on)
    return Brief(
        title=path.stem,
        first_on=first_on,
        last_on=last_on,
        signals=signals,
        shown=excerpt_signals(signals, texts),
        record=record,
        before=before,
        after=after,
    )


def match_talks(signals: pd.DataFrame, on: date) -> str:
    """Return the negotiation, going on that day, that the signals speak of most; "" for none.

    Where none is between just these parties, one of three or more parties will do of which they
    are two or more: its parties also meet in pairs.
    """
    going = [
        negotiation
        for negotiation in map(read_negotiation, list_negotiations())
        if negotiation.opened_on <= on <= (negotiation.ended_on or on)
    ]
    told = [set(split_list(talks)) for talks in signals["talks"].value_counts().index]
    for fits in (set.__eq__, set.__lt__):
        for parties in told:
            for negotiation in going:
                if len(parties) > 1 and fits(parties, set(negotiation.parties)):
                    return negotiation.slug
    return ""


def read_rounds(record: Record) -> pd.DataFrame:
    """Return one row per round and issue: the gap as it was known the day after the round.

    The last rows, with round_id "now", are the reading on the record's own day.
    """
    then = record.gaps[record.gaps["view"] == "then"]
    names = read_issues()[["issue_id", "issue"]]
    held = record.negotiation.rounds
    held = held[held["held_on"] <= pd.Timestamp(record.as_of)]
    columns = held[["round_id", "round", "held_on", "ended_on"]].assign(
        on=(held["ended_on"] + pd.Timedelta(days=1)).clip(upper=pd.Timestamp(record.as_of))
    )
    now = pd.DataFrame({"round_id": ["now"], "round": ["Now"], "on": [then["on"].max()]})
    readings = pd.concat([columns, now], ignore_index=True).merge(then, on="on")
    return readings.merge(names, on="issue_id").reset_index(drop=True)


def read_day(text: str, name: str, *, or_else: str = "") -> date:
    """Return a parameter as a day.

    >>> read_day("2019-08-21", "as_of")
    datetime.date(2019, 8, 21)
    """
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    also = f" or {or_else}" if or_else else ""
    raise DataError(f"{name}: found '{text}'; it takes a day as YYYY-MM-DD{also}")
