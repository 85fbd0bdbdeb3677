"""Second stage, beside the cues: in what clause a cue stands, and how the clause is said.

"They will narrow the gap" and "if they narrow the gap" hold one cue. What opens the clause, the
verb that governs it, a negation before it and quotation marks around it are told for each word.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from tradegap.coding.cues import DIRECTIONS, Cue

__all__ = ["expand", "show_clauses"]

OPENS = {
    word: kind
    for kind, words in {
        "after that": "that",
        "after which": "which who whose where",
        "after if": "if unless whether provided otherwise",
        "after because": "because since as",
        "after while": "while although though despite whereas",
        "after but": "but however yet",
        "after when": "after before when until following during once amid",
        "after to": "to",
        "after on": "about over on",
        "after for": "for",
        "after without": "without",
    }.items()
    for word in words.split()
}
KEEPS_VERB = frozenset({"after to", "after on", "after for", "after without"})
VERBS = {
    word: f"with {verb}"
    for verb, words in {
        "will": "will shall",
        "would": "would",
        "could": "could may might",
        "can": "can",
        "must": "should must",
        "had": "had",
        "has": "has have",
        "was": "was were",
        "is": "is are",
    }.items()
    for word in words.split()
}
NEGATIONS = frozenset(
    {"not", "no", "never", "neither", "nor", "without"}
    | {"cannot", "none", "nothing", "little", "hardly", "few"}
)
ENDS = frozenset(";:.-")
SHORT_FORMS = (
    (re.compile(r"\b(?:can't|can not)(?= )"), "cannot"),
    (re.compile(r"\bwon't(?= )"), "will not"),
    (re.compile(r"n't(?= )"), " not"),
    (re.compile(r"'ll(?= )"), " will"),
    (re.compile(r"'re(?= )"), " are"),
    (re.compile(r"'ve(?= )"), " have"),
    (re.compile(r"'m(?= )"), " am"),
)


def expand(marked: str) -> str:
    """Return a marked sentence without the short forms of verbs and "not".

    >>> expand(" they won't move and we've not , don't ask . ")
    ' they will not move and we have not , do not ask . '
    """
    if "'" in marked or "can not" in marked:
        for form, words in SHORT_FORMS:
            marked = form.sub(words, marked)
    return marked


def read_places(words: Iterable[str]) -> list[tuple[str, ...]]:
    """Return how each word of a sentence stands: its clause, verb, negation, quotation.

    >>> read_places("it will close if they do not move".split())[-1]
    ('after if', 'negated', 'told')
    """
    places: list[tuple[str, ...]] = []
    clause, verb, negated, quoted = "in the main clause", "", False, False
    for word in words:
        if word == '"':
            quoted = not quoted
        elif word in ENDS:
            clause, verb, negated = "after a stop", "", False
        elif word == ",":
            clause, negated = clause if clause == "in the main clause" else "after a stop", False
        elif word in OPENS:
            clause = OPENS[word]
            if clause not in KEEPS_VERB:
                verb, negated = "", False
        verb = VERBS.get(word, verb)
        negated = negated or word in NEGATIONS
        stands = (clause, verb, "negated" if negated else "", "quoted" if quoted else "told")
        places.append(tuple(each for each in stands if each))
    return places


def show_clauses(words: str, cues: Iterable[Cue], facts: Iterable[str]) -> dict[str, float]:
    """Return signs that cross the direction of each cue with how it stands, and with some facts.

    >>> from tradegap.coding.cues import matching
    >>> text = " if they made progress "
    >>> sorted(show_clauses(text, matching(text), ["short"]))
    ['narrowing after if', 'narrowing short', 'narrowing told']
    """
    signs: dict[str, float] = {}
    facts = tuple(facts)
    starts: list[int] = []
    places: list[tuple[str, ...]] = []
    for cue in cues:
        if cue.direction not in DIRECTIONS:
            continue
        if not places:
            split = words.split()
            places = read_places(split)
            at = 1
            for word in split:
                starts.append(at)
                at += len(word) + 1
        amount = min(0.7, 0.3 + 0.2 * cue.meant)
        said = {
            each
            for found in cue.pattern.finditer(words)
            for each in places[bisect_right(starts, found.start() + 1) - 1]
        }
        for each in (*said, *facts):
            name = f"{cue.direction} {each}"
            signs[name] = max(amount, signs.get(name, 0.0))
    return signs
