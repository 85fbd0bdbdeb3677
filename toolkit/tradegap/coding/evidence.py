"""Second stage, third step: what each sentence shows, as named signs with an amount.

A sign is a cue of cues/direction.csv, a word or class of words, or a context computed here
(headline, question, what the sentences around it say, what kind of document it is).
cues/weights.csv weighs them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from tradegap.coding.clauses import expand, show_clauses
from tradegap.coding.cues import DIRECTIONS, matching, tokens
from tradegap.coding.parties import Mention, mark
from tradegap.coding.sentences import Sentence
from tradegap.coding.wording import show_wording

__all__ = ["mark_sentences", "show", "show_contexts"]

JOINT_TEXT = re.compile(
    r"joint (statement|declaration|communique|announcement)|fact sheet|memorandum of"
    r"|general terms|what they are saying|terms of reference|framework (for|on) "
)
TALKS = re.compile(
    r" (talks|negotiat\S*|deal|deals|accord|pact|agreement|treaty|dispute|round|trade|tariffs?"
    r"|sanctions|quotas?|summit|consultations|dialogue)(?= )"
)
# What else of a sentence a cue's direction is crossed with, beside its clause.
CROSSED = ("headline", "lead", "one party named", "two parties named", "short", "long")


def part(number: int, count: int) -> str:
    """Return in which part of a document a sentence stands.

    >>> part(3, 10), part(8, 10)
    ('early', 'late')
    """
    return "early" if number < 0.4 * count else "late"


def mark_sentences(text: str, sentences: Sequence[Sentence], mentions: list[Mention]) -> list[str]:
    """Return each sentence as the cues read it: lower-case tokens, parties marked."""
    starts = [each.start for each in mentions]
    marked = []
    for each in sentences:
        low, high = bisect_left(starts, each.start), bisect_left(starts, each.end)
        marked.append(tokens(mark(text, mentions[low:high], each.start, each.end)))
    return marked


def show(sentences: Sequence[Sentence], marked: Sequence[str]) -> list[dict[str, float]]:
    """Return the signs that each sentence shows, with their amounts (1 unless it is a share)."""
    marked = [expand(each) for each in marked]
    contexts = show_contexts(sentences, marked)
    return [signs | show_wording(words) for signs, words in zip(contexts, marked, strict=True)]


def show_contexts(sentences: Sequence[Sentence], marked: Sequence[str]) -> list[dict[str, float]]:
    """Return the signs that each sentence, short forms spelt out, shows, but for its words."""
    opening = " ".join(marked[:2])
    joint = bool(JOINT_TEXT.search(opening))
    hits = [matching(each) for each in marked]
    meant = [[cue.direction for cue in each] for each in hits]
    said = [{d: each.count(d) for d in DIRECTIONS} for each in meant]
    on_talks = [bool(TALKS.search(each)) for each in marked]
    count = max(1, len(sentences))
    shares = {d: sum(min(3, each[d]) for each in said) / count for d in DIRECTIONS}
    talks_share = sum(on_talks) / count
    shown = []
    for number, (sentence, words) in enumerate(zip(sentences, marked, strict=True)):
        signs: dict[str, float] = {"always": 1.0}
        for cue in hits[number]:
            signs[cue.name] = 1.0
            if joint and cue.direction in ("closed", "open"):
                signs[f"{cue.name}, in a joint text"] = 1.0
        length = words.count(" ") - 1
        named = set(re.findall(r"@\S+", words))
        facts = {
            "headline": sentence.kind == "title",
            "lead": 0 < number <= 2,
            "item of a list": words.startswith((" - ", " • ", " * ")),
            "quotation": '"' in words or sentence.is_quoted or words.startswith(" '"),
            "one party named": len(named) == 1,
            "two parties named": len(named) >= 2,
            "no trade word": not on_talks[number],
            "short": length < 9,
            "long": length > 40,
            "joint text": joint,
        }
        signs |= {name: 1.0 for name, holds in facts.items() if holds}
        crossed = [name for name in CROSSED if facts[name]]
        crossed += [] if facts["headline"] or facts["lead"] else [part(number, count)]
        signs |= show_clauses(words, hits[number], crossed)
        signs["talk of trade in the document"] = talks_share
        for d in DIRECTIONS:
            around = said[max(0, number - 2) : number] + said[number + 1 : number + 3]
            signs[f"{d} around"] = sum(min(2, each[d]) for each in around) / 4
            signs[f"{d} in the document"] = shares[d]
            signs[f"{d} twice"] = float(said[number][d] >= 2)
            signs[f"{d} three times"] = float(said[number][d] >= 3)
            if joint:
                signs[f"{d} in a joint text"] = min(3, said[number][d])
        shown.append({name: amount for name, amount in signs.items() if amount})
    return shown
