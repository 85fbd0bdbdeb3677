"""Second stage: documents in, signals out. Every signal explains itself.

    sentences   blocks → sentences with exact offsets
    parties     which parties a text names, and where
    cues        phrases and weights, from the files in tradegap/cues
    wording     the words of a sentence and their classes
    clauses     the clause, verb and negation that a cue stands in
    evidence    sentence → the cues, words and contexts that it shows
    weighing    what these weigh for each direction, in sum
    speakers, issues, topics, dates   who says it, on what, whose talks, and what lies ahead

The cue files are for an analyst to read and edit; `make train` fits weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import pandas as pd

from tradegap.coding.clauses import expand
from tradegap.coding.cues import choose, compile_pattern, find_chances, find_confidence
from tradegap.coding.dates import find_event_date, find_told_date
from tradegap.coding.evidence import mark_sentences, show_contexts
from tradegap.coding.issues import find_issues
from tradegap.coding.parties import find_mentions
from tradegap.coding.sentences import LONGEST_SENTENCE, Sentence, find_overlong, split_sentences
from tradegap.coding.speakers import find_sources
from tradegap.coding.timing import find_forwards, find_paces
from tradegap.coding.topics import clause_on_others, find_talks
from tradegap.coding.weighing import Model, read_model
from tradegap.tables import conform, empty, split_list

if TYPE_CHECKING:
    from tradegap.documents import Block, Document

__all__ = [
    "Model",
    "code_document",
    "code_documents",
    "find_skipped",
    "find_uncoded",
    "is_english",
    "iter_signals",
    "to_json",
]

ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "the of to and in is that for on with was it as be by at are from has will not have no"
        " their they he she",
    )
)
KEY = ("sha256", "start", "end", "direction", "talks")
# A contrast inside the sentence; one that opens it is with the sentence before.
CONTRAST = re.compile(
    r"(?: \S+){3,}? (?:but|however|yet|while|whereas|although|though|despite|even as) "
)
WITHIN = compile_pattern(
    "((among|within|between) .. (themselves|members|member states|producers|consumers|its own)"
    "|(parliament|congress|senate|lawmakers|mps|house of commons|democrats|republicans|backbench*"
    "|cabinet|unions) ... (reject*|oppos*|approv*|vote*|voted|ratif*|concern*|demand*|warn*|refus*)"
    "|(warn*|urg*|convinc*|press*) .. (congress|parliament|lawmakers|mps)"
    "|(common|unified|joint) (position|stance|front))"
)


def is_english(text: str) -> bool:
    """Return whether a text is English, by its commonest words.

    >>> is_english("The talks are to go on."), is_english("Die Gespräche gehen im Mai weiter.")
    (True, False)
    """
    words = re.findall(r"[^\W\d_]+", text[:20000].lower())
    if not words:
        return False
    share = len([word for word in words if word in ENGLISH]) / len(words)
    return share >= (0.12 if len(words) > 40 else 0.05)


def code_documents(documents: Iterable[Document], *, talks: Sequence[str] = ()) -> pd.DataFrame:
    """Return one row per signal of all documents (table `signals`)."""
    return tabulate(row for each in documents for row in find_signals(each, talks))


def iter_signals(
    documents: Iterable[Document], *, talks: Sequence[str] = (), documents_at_once: int = 200
) -> Iterator[pd.DataFrame]:
    """Yield one row per signal (table `signals`), a frame for some documents at a time.

    Together the frames are what `code_documents` returns, but only one is held at a time: where the
    documents come from a generator too, memory does not grow with them, but for the hundred bytes
    by which a document is known again, so that none is coded twice.
    """
    seen: set[int] = set()
    rows: list[dict[str, Any]] = []
    count = 0
    for each in documents:
        key = hash((each.sha256, each.text))
        if key not in seen:
            seen.add(key)
            rows += find_signals(each, talks)
            count += 1
        if count == documents_at_once:
            yield tabulate(rows)
            rows, count = [], 0
    if count:
        yield tabulate(rows)


@lru_cache(maxsize=1)  # a document is asked for its faults, then coded
def read_prose(text: str, blocks: tuple[Block, ...]) -> tuple[Sentence, ...]:
    """Return the sentences of a document, none if they are not English."""
    sentences = split_sentences(text, blocks)
    return tuple(sentences) if is_english(" ".join(each.text for each in sentences)) else ()


def find_uncoded(documents: Iterable[Document]) -> list[str]:
    """Return one line per document in which no signal is looked for, since it is not English."""
    return [
        f"{each.name}: no English prose found; nothing is coded in it"
        for each in documents
        if not read_prose(each.text, each.blocks)
    ]


def find_skipped(documents: Iterable[Document]) -> list[str]:
    """Return one line per document with sentences that are not coded, since they are too long."""
    lines = []
    for each in documents:
        places = find_overlong(each.text, each.blocks)
        if places:
            many = "a sentence" if len(places) == 1 else f"{len(places)} sentences, the first"
            lines.append(
                f"{each.name}: {many} at character {places[0][0]}, of"
                f" {places[0][1] - places[0][0]} characters; what has more than"
                f" {LONGEST_SENTENCE} is no sentence and is not coded"
            )
    return lines


def code_document(
    document: Document,
    *,
    talks: Sequence[str] = (),
    model: Model | None = None,
) -> pd.DataFrame:
    """Return one row per signal of one document (table `signals`).

    `model` has weights and thresholds to use instead of those that ship. `talks` are the parties
    to fall back on where the text does not tell whose talks they are. Nothing is coded in a text
    that is not English.
    """
    return tabulate(find_signals(document, talks, model))


def tabulate(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return signals as the table of that name, the first of any that are the same."""
    unique: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        unique.setdefault(tuple(row[column] for column in KEY), row)
    return conform(pd.DataFrame(list(unique.values())), "signals") if unique else empty("signals")


def find_signals(
    document: Document,
    talks: Sequence[str],
    model: Model | None = None,
) -> list[dict[str, Any]]:
    """Return one row per signal of one document, as plain values."""
    text = document.text
    sentences = read_prose(text, document.blocks)
    if not sentences:
        return []
    mentions = find_mentions(text)
    marked = mark_sentences(text, sentences, mentions)
    model = model or read_model()
    spelt_out = [expand(each) for each in marked]
    evidence = model.weigh(show_contexts(sentences, spelt_out), spelt_out)
    body = [each.text for each in sentences if each.kind != "title"]
    event = find_event_date(" ".join(body[:2]), document.published)
    told = find_told_date(" ".join(body[:2]), document.published)
    forwards = find_forwards(sentences, marked, event, told, model.forward)
    paces = find_paces(sentences, marked, model.pace)
    chances = [find_chances(each) for each in evidence.sums]
    chosen = choose(chances, [bool(CONTRAST.match(each)) for each in marked], model.thresholds)
    for number, words in enumerate(marked):
        # A question states nothing.
        if words.endswith("? "):
            chosen[number] = []
        if not chosen[number] and (forwards[number] or paces[number].pace != "none"):
            chosen[number] = ["none"]
    coded = [number for number, directions in enumerate(chosen) if directions]
    if not coded:
        return []
    main, whose = find_talks(sentences, marked, mentions, talks)
    sources = find_sources(text, sentences, mentions, main)
    clauses = [
        clause_on_others(each, talks_here != [main])
        for each, talks_here in zip(marked, whose, strict=True)
    ]
    issues = find_issues(clauses, frozenset(coded), model.issues)
    rows: list[dict[str, Any]] = []
    for number in coded:
        sentence, forward = sentences[number], forwards[number]
        pace, pace_text = paces[number]
        for direction, pair in product(chosen[number], whose[number]):
            if direction == "none":
                signs = [f"{'forward event' if forward else 'pace'} +1.00"]
                confidence = 0.5
            else:
                signs = evidence.explain(number, direction)
                curve = model.confidence[direction]
                confidence = find_confidence(chances[number][direction], curve)
            rows.append(
                {
                    "document": document.name,
                    "sha256": document.sha256,
                    "start": sentence.start,
                    "end": sentence.end,
                    "text": sentence.text,
                    "direction": direction,
                    "issues": ";".join(issues[number]),
                    "speaker": sources[number].speaker,
                    "party": sources[number].party,
                    "pace": pace,
                    "pace_text": pace_text,
                    "forward_text": forward.text if forward else "",
                    "forward_date": forward.date if forward else "",
                    "scope": "within" if WITHIN.search(marked[number]) else "between",
                    "talks": ";".join(pair),
                    "published": pd.Timestamp(document.published),
                    "event_date": pd.Timestamp(event),
                    "headline": sentence.kind == "title",
                    "confidence": round(confidence, 3),
                    "why": ";".join(signs),
                }
            )
    return rows


def to_json(row: pd.Series[Any] | Mapping[Any, Any]) -> str:
    """Return one signal as a line of JSON, as `tradegap code` prints it."""
    record: dict[str, Any] = {}
    for name, value in row.items():
        if name in ("issues", "talks"):
            record[str(name)] = split_list(value)
        elif name == "why":
            parts = [each.rpartition(" ") for each in split_list(value)]
            record["why"] = [{"cue": cue, "weight": float(weight)} for cue, _, weight in parts]
        elif name == "forward_text":
            record["forward"] = (
                {"text": value, "date": row["forward_date"] or None} if value else None
            )
        elif name == "forward_date":
            continue
        elif isinstance(value, pd.Timestamp):
            record[str(name)] = value.date().isoformat()
        elif name in ("start", "end"):
            record[str(name)] = int(value)
        elif name == "headline":
            record["headline"] = bool(value)
        elif name == "confidence":
            record["confidence"] = float(value)
        else:
            record[str(name)] = value if value or name == "text" else None
    return json.dumps(record, ensure_ascii=False)
