"""First stage: dated documents in, which of them tell the same story out.

A reprint shares long runs of words with its original; two reporters' accounts of one event do not.
So two documents are one story where enough of their runs of five words are the same.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

import pandas as pd

from tradegap.documents.model import Document
from tradegap.tables import conform, empty

__all__ = ["cluster_stories"]

RUN = 5  # words
WINDOW = timedelta(days=7)
SAME_OF_ALL = 0.4  # share of common runs in both: one word in ten changed
SAME_OF_SHORTER = 0.45  # share of the shorter one's runs that the longer one has: a cut reprint
SHORTEST_SHARE = 0.25  # a shorter one is a quotation, not a cut reprint
FEWEST_RUNS = 25  # with fewer, only the very same words are the same story
COMMONEST = 200  # documents; a run that more of them share tells nothing of a pair
MOST_COMPARED = 20  # stories, those with the most runs in common first
WORD = re.compile(r"\w+")


def cluster_stories(documents: Sequence[Document]) -> pd.DataFrame:
    """Return one row per document (table `documents`): which story it tells, and where else.

    A document published within a week of an earlier one joins its story where they share 40 % of
    their runs of five words, or 45 % of the shorter one's. Titles, lists and prose count;
    boilerplate and captions do not. The same bytes twice are one row.

    >>> from datetime import date
    >>> from tradegap.documents.model import Block
    >>> text = "The envoys met in the capital and parted without a deal on rice quotas or on cars."
    >>> a, b = (
    ...     Document(f"{n}.txt", n, text, date(2018, 5, day), "option", publisher=f"The {n}",
    ...              blocks=(Block(0, len(text), "text"),))
    ...     for n, day in (("aa", 4), ("bb", 5))
    ... )
    >>> cluster_stories([b, a])[["document", "story", "also_in"]].values.tolist()
    [['aa.txt', 'aa', 'The bb'], ['bb.txt', 'aa', 'The aa']]
    """
    if not documents:
        return empty("documents")
    ordered = sorted(documents, key=lambda each: (each.published, each.name, each.sha256))
    unique = list({each.sha256: each for each in reversed(ordered)}.values())[::-1]
    stories = tell_stories(unique)
    members: dict[str, list[Document]] = defaultdict(list)
    for each in ordered:
        members[stories[each.sha256]].append(each)
    rows = [
        {
            "document": each.name,
            "sha256": each.sha256,
            "title": each.title,
            "publisher": each.publisher,
            "published": pd.Timestamp(each.published),
            "dated_by": each.dated_by,
            "source_url": each.source_url,
            "confidence": each.confidence,
            "is_private": each.is_private,
            "story": stories[each.sha256],
            "also_in": other_places(each, members[stories[each.sha256]]),
        }
        for each in unique
    ]
    return conform(pd.DataFrame(rows), "documents")


def tell_stories(ordered: Sequence[Document]) -> dict[str, str]:
    """Return the hash of the story's earliest document by each document's hash.

    Each document is compared with those earlier ones alone that opened a story in the week before
    and share some run with it, so the work grows with the documents, not with their pairs.
    """
    stories: dict[str, str] = {}
    runs_of: dict[str, frozenset[int]] = {}
    opened: dict[int, list[Document]] = defaultdict(list)
    place = {document.sha256: at for at, document in enumerate(ordered)}
    for document in ordered:
        runs = word_runs(document)
        shared: Counter[str] = Counter()
        for run in runs:
            recent = opened.get(run, [])
            while recent and document.published - recent[0].published > WINDOW:
                recent.pop(0)
            if len(recent) <= COMMONEST:
                shared.update(each.sha256 for each in recent)
        nearest = sorted(shared, key=lambda sha: (-shared[sha], place[sha]))[:MOST_COMPARED]
        likeness = {sha: like(runs, runs_of[sha]) for sha in nearest}
        best = max(nearest, key=lambda sha: likeness[sha], default="")
        if best and likeness[best] > 0:
            stories[document.sha256] = best
            continue
        stories[document.sha256] = document.sha256
        runs_of[document.sha256] = runs
        for run in runs:
            opened[run].append(document)
    return stories


def word_runs(document: Document) -> frozenset[int]:
    """Return the runs of five words of a document's own text, each as a number."""
    own = [block for block in document.blocks if block.kind in ("title", "text", "list")]
    words = [
        word.casefold()
        for block in own
        for word in WORD.findall(document.text[block.start : block.end])
    ]
    last = max(len(words) - RUN + 1, 1)
    return frozenset(hash(tuple(words[at : at + RUN])) for at in range(last))


def like(one: frozenset[int], other: frozenset[int]) -> float:
    """Return the share of common runs where two documents tell the same story, otherwise 0.

    >>> like(frozenset(range(30)), frozenset(range(60))), like(frozenset({1, 2}), frozenset({1}))
    (0.5, 0.0)
    """
    common = len(one & other)
    short, long = sorted((len(one), len(other)))
    if one == other:
        return 1.0
    if short < FEWEST_RUNS:
        return 0.0
    of_all, of_shorter = common / len(one | other), common / short
    is_cut = of_shorter >= SAME_OF_SHORTER and short >= SHORTEST_SHARE * long
    return of_all if of_all >= SAME_OF_ALL or is_cut else 0.0


def other_places(document: Document, members: Sequence[Document]) -> str:
    """Return the publishers, or else the names, of a document's other copies, joined by ';'."""
    others = [each for each in members if each is not document]
    places = [(each.publisher or each.name).replace(";", ",") for each in others]
    return ";".join(dict.fromkeys(places))
