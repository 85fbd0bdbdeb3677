"""Second stage, beside the cues: what a sentence says of time, pace and what lies ahead.

Whether a sentence announces an event of the talks is a sum of weights, as a direction is: of the
signs in cues/forward.csv and the contexts in cues/timing.csv, from FORWARD on. Pace likewise,
by cues/pace.csv. The words come from the strongest sign, the date from the dates beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

from tradegap.coding.contexts import is_shown, read_patterns, read_prefilter, show_named
from tradegap.coding.cues import as_printed, probability, read_rows
from tradegap.coding.dates import When, find_whens, is_rough, reach
from tradegap.coding.sentences import Sentence

__all__ = ["Forward", "Pace", "find_forwards", "find_paces", "show_forward", "show_pace"]

# From these chances on; chosen on held-out talks by tradegap.coding.fit_timing.
FORWARD = 0.25
DATED = 0.15  # for a sentence that names a date ahead
PACE = 0.4
WORDS = 14  # an announcing phrase is cut after so many words
STOP = re.compile(r" (?:[;:\"]|, (?:and|but|while|which|(?:\S{1,20} ){1,4}said)|\. )")
OPENING = re.compile(
    r"joint (?:statement|declaration|communique|announcement)|fact sheet|memorandum of"
    r"|general terms|what they are saying|terms of reference|framework (?:for|on) "
)


class Forward(NamedTuple):
    """What lies ahead, and its date: a day, a month, a year, or an empty string."""

    text: str
    date: str
    chance: float


class Pace(NamedTuple):
    """How fast the talks go, 'accelerating', 'stalled' or 'none', and the words that say so."""

    pace: str
    text: str


class Sign(NamedTuple):
    """One row of cues/forward.csv or cues/pace.csv."""

    name: str
    kind: str
    weight: float
    pattern: re.Pattern[str]


@cache
def read_signs(file: str, kind: str) -> tuple[Sign, ...]:
    """Return the signs of a cue file; `kind` is the column that tells what a sign is for."""
    rows = zip(read_rows(file), read_patterns(file), strict=True)
    return tuple(Sign(row["sign"], row[kind], float(row["weight"]), each) for row, each in rows)


@cache
def read_weights(what: str) -> dict[str, float]:
    """Return the weights of the contexts of cues/timing.csv and of the signs of forward or pace."""
    weights = {row["context"]: float(row[what]) for row in read_rows("timing.csv")}
    kind = "kind" if what == "forward" else "pace"
    return weights | {sign.name: sign.weight for sign in read_signs(f"{what}.csv", kind)}


@lru_cache(maxsize=8)
def spoken_signs(file: str, kind: str, words: str) -> list[tuple[Sign, re.Match[str]]]:
    """Return the signs of a cue file that a marked sentence shows, each with its first match."""
    signs = read_signs(file, kind)
    return [(signs[at], found) for at, found in read_prefilter(file).search(words).items()]


def counts(sign: Sign, ahead: Sequence[When], sentence: Sentence) -> bool:
    """Return whether a sign of cues/forward.csv is one here: some are so only beside a date."""
    if sign.kind == "in a title":
        return sentence.kind == "title"
    return sign.kind != "with a date" or bool(ahead)


def show_forward(
    number: int, sentences: Sequence[Sentence], marked: Sequence[str], whens: Sequence[list[When]]
) -> dict[str, float]:
    """Return the signs for and against an announcement that a sentence shows, with amounts."""
    words = marked[number]
    signs = {"always": 1.0}
    ahead = [each for each in whens[number] if each.is_ahead]
    for sign, _ in spoken_signs("forward.csv", "kind", words):
        if counts(sign, ahead, sentences[number]):
            signs[sign.name] = 1.0
    lengths = {len(each.date) for each in ahead}
    shown = show_named(words)
    near = "".join(words[max(0, each.start - 45) : each.end + 25] for each in ahead[:3])
    facts = {
        "a day ahead": 10 in lengths,
        "a month ahead": 7 in lengths,
        "a year ahead": 4 in lengths,
        "a vague time ahead": 0 in lengths,
        "only times past": bool(whens[number]) and not ahead,
        "two dates ahead": len(ahead) >= 2,
        "talks beside the date": is_shown("talks", near),
        "a measure beside the date": is_shown("of a measure", near),
        "a deal beside the date": is_shown("of a deal", near),
        "talks": "talks" in shown,
        "a meeting": "a meeting" in shown,
        "a date ahead around": any(
            when.is_ahead
            for at in (number - 1, number + 1)
            if 0 <= at < len(whens)
            for when in whens[at]
        ),
    }
    return (
        signs
        | {name: 1.0 for name, holds in facts.items() if holds}
        | facts_of(number, sentences, marked)
    )


def show_pace(
    number: int, sentences: Sequence[Sentence], marked: Sequence[str]
) -> dict[str, float]:
    """Return the signs for and against a told pace that a sentence shows, with amounts."""
    words = marked[number]
    signs = {"always": 1.0}
    for sign, _ in spoken_signs("pace.csv", "pace", words):
        if sign.kind != "none":
            signs[sign.name] = 1.0
    for sign, _ in spoken_signs("forward.csv", "kind", words):
        if sign.kind == "against":
            signs[sign.name] = 1.0
    signs |= dict.fromkeys(show_named(words) & {"talks", "asked for"}, 1.0)
    return signs | facts_of(number, sentences, marked)


def facts_of(number: int, sentences: Sequence[Sentence], marked: Sequence[str]) -> dict[str, float]:
    """Return what counts for forward events and pace alike: the form and the place."""
    words = marked[number]
    before = marked[max(0, number - 2) : number]
    length = words.count(" ") - 1
    parties = len(set(re.findall(r" @\S+", words)))
    facts = {
        "headline": sentences[number].kind == "title",
        "lead": 0 < number <= 2,
        "item of a list": words.startswith((" - ", " • ", " * ")),
        "quotation": '"' in words or words.startswith(" '"),
        "question": words.endswith("? "),
        "no trade word": "of trade" not in show_named(words),
        "no trade word before": all("of trade" not in show_named(each) for each in before),
        "no party named": parties == 0,
        "two parties named": parties >= 2,
        "short": length < 9,
        "long": length > 40,
    }
    return {name: 1.0 for name, holds in facts.items() if holds}


def shares(marked: Sequence[str]) -> dict[str, float]:
    """Return what counts for all sentences of a document: what share of them is on talks, trade."""
    count = max(1, len(marked))
    return {
        "joint text": float(bool(OPENING.search("".join(marked[:2])))),
        "talks in the document": sum("talks" in show_named(each) for each in marked) / count,
        "no trade in the document": sum("of trade" not in show_named(each) for each in marked)
        / count,
    }


def find_forwards(
    sentences: Sequence[Sentence],
    marked: Sequence[str],
    event: date,
    told: date,
    weights: Mapping[str, float] | None = None,
) -> list[Forward | None]:
    """Return what each sentence of a document announces of the talks; None where it does not.

    `marked` are the sentences as the cues read them, `event` the day that the document reports on,
    `told` the day that 'today' means.
    """
    whens = [find_whens(each, event, told) for each in marked]
    weights = read_weights("forward") if weights is None else weights
    document = shares(marked)
    found: list[Forward | None] = []
    for number, words in enumerate(marked):
        # Without a time ahead, or words that announce, there is nothing to weigh.
        if not any(each.is_ahead for each in whens[number]) and all(
            sign.kind in ("against", "with a date")
            for sign, _ in spoken_signs("forward.csv", "kind", words)
        ):
            found.append(None)
            continue
        signs = show_forward(number, sentences, marked, whens) | document
        chance = probability(sum(weights.get(name, 0) * much for name, much in signs.items()))
        is_dated = any(each.is_ahead and each.date for each in whens[number])
        if chance < (DATED if is_dated else FORWARD):
            found.append(None)
        else:
            found.append(announce(words, sentences[number], whens[number], chance))
    titles = [each.kind == "title" for each in sentences]
    return settle_dates(found, whens, titles, marked, event)


MOST_DAYS = 200
NEAR = 3  # a date is lent to at most so many sentences away, where no time is told


def events_of(words: str) -> set[str]:
    """Return the kinds of event that a marked sentence speaks of.

    What is of a kind shares a date: "the summit" is dated by what the text says of it elsewhere.

    >>> events_of(" the truce expires . ")
    {'event: deadline'}
    """
    return {each for each in show_named(words) if each.startswith("event: ")}


def settle_dates(
    forwards: Sequence[Forward | None],
    whens: Sequence[Sequence[When]],
    titles: Sequence[bool],
    marked: Sequence[str],
    event: date,
) -> list[Forward | None]:
    """Return the forward events, each dated as exactly as the document as a whole allows.

    "Next week", "mid-October" or "a 90-day truce" is the day in that time that the text names for
    an event of the kind. Where no time is told, a title takes the first date that follows, "the
    meeting" the nearest one before or after.
    """
    days: dict[tuple[str, str], int] = {}  # the sentence that first names a day for a kind of event
    for place, here in enumerate(whens):
        for when in here:
            if when.is_ahead and len(when.date) == 10 and not is_rough(when, marked[place]):
                for kind in sorted(events_of(marked[place])) if len(days) < MOST_DAYS else ():
                    days.setdefault((when.date, kind), place)
    settled = list(forwards)
    for number, forward in enumerate(forwards):
        if forward is None:
            continue
        words = marked[number]
        kinds = events_of(words)
        own = [e for e in whens[number] if e.is_ahead and e.date == forward.date]
        span = reach(own[0], words, event) if own else None
        near: list[tuple[int, str]] = []
        if span:
            near = [
                (place, day)
                for (day, kind), place in days.items()
                if span[0] <= day <= span[1] and kind in kinds
            ]
        elif not forward.date and "none" not in show_named(words):
            places = range(0)
            if titles[number]:
                places = range(number + 1, number + 2 + NEAR)
            elif "a known event" in show_named(words):
                places = range(number - NEAR, number + 2)
            for place in places:
                other = forwards[place] if 0 <= place < len(forwards) else None
                if other and other.date and events_of(marked[place]) & kinds:
                    near.append((place, other.date))
        if near:
            _, day = min(near, key=lambda each: (each[0] > number, abs(each[0] - number)))
            settled[number] = forward._replace(date=day)
    return settled


def announce(
    marked: str, sentence: Sentence, whens: Sequence[When], chance: float
) -> Forward | None:
    """Return the words of a sentence that announce, with their date; None if there are none.

    >>> marked = " they will meet again on thursday . "
    >>> whens = find_whens(marked, date(2019, 8, 21))
    >>> sentence = Sentence(0, 33, "They will meet again on Thursday.", "text", 0, False)
    >>> announce(marked, sentence, whens, 0.9)
    Forward(text='will meet again on Thursday', date='2019-08-22', chance=0.9)
    """
    ahead = [each for each in whens if each.is_ahead]
    spoken = [
        (sign, found)
        for sign, found in spoken_signs("forward.csv", "kind", marked)
        if sign.kind != "against" and counts(sign, ahead, sentence)
    ]
    if spoken:
        sign, found = max(spoken, key=lambda each: each[0].weight)
        if sign.kind == "no date":
            return Forward(as_printed(found.group().strip(), sentence.text), "", chance)
        start, end = extend(marked, found.start(), found.end())
        # The date of what is announced follows it, as a rule: "due in May before a vote in June".
        ahead.sort(key=lambda each: each.end <= found.start())
    elif ahead:
        start, end = extend(marked, ahead[0].start, ahead[0].end)
    else:
        return None
    dates = [each.date for each in ahead if each.date]
    return Forward(
        as_printed(marked[start:end].strip(), sentence.text), dates[0] if dates else "", chance
    )


def extend(marked: str, start: int, end: int) -> tuple[int, int]:
    """Return a phrase with the words that follow it, up to a stop or WORDS words."""
    stop = STOP.search(marked, end)
    last = stop.start() if stop else len(marked) - 1
    for _ in range(max(0, WORDS - marked.count(" ", start, end))):
        if end >= last:
            break
        end = marked.find(" ", end + 1)
        if end < 0:
            return start, len(marked) - 1
    return start, min(end, max(last, end)) if end <= last else last


def find_paces(
    sentences: Sequence[Sentence],
    marked: Sequence[str],
    weights: Mapping[str, float] | None = None,
) -> list[Pace]:
    """Return the pace that each sentence of a document tells, and its words as they stand there.

    Words on how hard the talks are ('very tough') are kept without a pace.
    """
    weights = read_weights("pace") if weights is None else weights
    document = shares(marked)
    paces = []
    for number, words in enumerate(marked):
        spoken = spoken_signs("pace.csv", "pace", words)
        if not spoken:
            paces.append(Pace("none", ""))
            continue
        signs = show_pace(number, sentences, marked) | document
        chance = probability(sum(weights.get(name, 0) * much for name, much in signs.items()))
        sign, found = max(spoken, key=lambda each: each[0].weight)
        pace = sign.kind if chance >= PACE else "none"
        is_told = pace != "none" or sign.kind == "none"
        paces.append(
            Pace(pace, as_printed(found.group().strip(), sentences[number].text) if is_told else "")
        )
    return paces
