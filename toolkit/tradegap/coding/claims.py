"""Second stage, at its side door: what holds a claim of another coder to the document it is about.

A claim is a row of the table `signals` as text, each cell as a CSV holds it. Nothing in it is taken
on trust: it stands in the document, speaks in our codes and puts no words into anybody's mouth, or
it is refused with what was found and what would do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from tradegap.coding.sentences import Sentence, split_sentences
from tradegap.tables import conform, declared_tables, parse, split_list
from tradegap.talks import read_issues, read_parties

if TYPE_CHECKING:
    from tradegap.documents import Document

__all__ = [
    "BUILT_IN",
    "CHAT",
    "CHAT_CONFIDENCE",
    "OTHER_SOURCES",
    "Codes",
    "find_faults",
    "find_sentence",
    "is_name",
    "read_codes",
    "told",
    "type_claims",
]

BUILT_IN = "cues"
CHAT = "chat-"  # how the name of a coder that is a chat model starts
# As likely wrong as right, until a person has looked: half of what one certain report counts.
CHAT_CONFIDENCE = 0.5

OTHER_SOURCES = frozenset({"chair", "analyst", "observer"})
# What we know of the document better than any claim.
GIVEN = frozenset({"document", "headline"})
SIGN = re.compile(r"[^;]*\S [+-]?\d{1,4}(\.\d{1,6})?")
WHEN = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
LONGEST_WHY = 2000
LONGEST_NAME = 5  # words
NAME = re.compile(r"[\w .,'’&-]+")


@dataclass(frozen=True)
class Codes:
    """The codes that a claim may use: those of data/issues.csv and data/parties.csv."""

    issues: frozenset[str]
    parties: frozenset[str]


def read_codes() -> Codes:
    """Return the codes of this project's lists."""
    return Codes(frozenset(read_issues()["issue_id"]), frozenset(read_parties()["party"]))


def find_faults(claim: dict[str, str], document: Document, codes: Codes) -> list[str]:
    """Return what does not stand of a claim on a document, one line each; none is good."""
    faults = []
    for field in declared_tables()["signals"].fields:
        value = claim[field.name]
        if field.name not in GIVEN and (fault := field.fault(value)):
            short = fault.replace(f"'{value}'", told(value)) if value else fault
            faults.append(f"'{field.name}' {short}")
    if faults:
        return faults
    start, end = int(claim["start"]), int(claim["end"])
    if document.text[start:end] != claim["text"]:
        return [
            f"'text' {told(claim['text'])} does not stand in {document.name} at {start}-{end};"
            " take text and offsets from `tradegap code`"
        ]
    sentence = find_sentence(document, start, end)
    if sentence is None:
        return [
            f"'start' and 'end' found {start}-{end}, which is not within one sentence of"
            f" {document.name}; code each sentence by itself, captions and the like not at all"
        ]
    return find_strange_codes(claim, codes) + find_strange_words(claim, sentence, document)


def type_claims(claims: list[dict[str, str]]) -> pd.DataFrame:
    """Return one row per claim without fault (table `signals`)."""
    columns = {
        field.name: [parse(claim[field.name], field.type) for claim in claims]
        for field in declared_tables()["signals"].fields
    }
    return conform(pd.DataFrame(columns), "signals")


def find_strange_codes(claim: dict[str, str], codes: Codes) -> list[str]:
    """Return the faults of a claim's codes and dates."""
    sources = codes.parties | OTHER_SOURCES
    listed = "codes of data/parties.csv"
    known = {
        "issues": (codes.issues, ", ".join(sorted(codes.issues))),
        "talks": (codes.parties, listed),
        "party": (sources, f"{listed}, {', '.join(sorted(OTHER_SOURCES))}"),
    }
    faults = [
        f"'{column}' found {told(code)}; it takes {takes}"
        for column, (allowed, takes) in known.items()
        for code in split_list(claim[column])
        if code not in allowed
    ]
    if len(split_list(claim["party"])) > 2:
        faults.append(f"'party' found {told(claim['party'])}; it takes two at most")
    when = claim["forward_date"]
    if when and (not WHEN.fullmatch(when) or not parse(when + "-01-01"[len(when) - 4 :], "date")):
        faults.append(f"'forward_date' found {told(when)}; it takes YYYY-MM-DD, YYYY-MM or YYYY")
    if when and not claim["forward_text"]:
        faults.append("'forward_date' without 'forward_text'; it takes the words that tell it")
    if claim["direction"] == "none" and claim["pace"] == "none" and not claim["forward_text"]:
        faults.append("'direction' found none without pace or forward; it takes one of them")
    signs = split_list(claim["why"])
    if len(claim["why"]) > LONGEST_WHY or not all(SIGN.fullmatch(sign) for sign in signs):
        takes = f"'cue +weight' joined by ;, {LONGEST_WHY:,} characters at most, or nothing"
        faults.append(f"'why' found {told(claim['why'])}; it takes {takes}")
    return faults


def find_strange_words(claim: dict[str, str], sentence: Sentence, document: Document) -> list[str]:
    """Return one line per quotation or name of a claim that its document does not have."""
    faults = [
        f"'{column}' {told(claim[column])} does not stand in the sentence; quote it as it stands"
        for column in ("pace_text", "forward_text")
        if flat(claim[column]) not in flat(sentence.text)
    ]
    words = words_of(document.text)
    for name in split_list(claim["speaker"]):
        if not is_name(name) or not words_of(name) <= words:
            faults.append(
                f"'speaker' found {told(name)}; it takes a person's name that {document.name} has"
            )
    published = str(document.published)
    if claim["published"] != published:
        faults.append(f"'published' found {claim['published']}; {document.name} is of {published}")
    return faults


def find_sentence(document: Document, start: int, end: int) -> Sentence | None:
    """Return the sentence that a span is, or is a part of."""
    held = (each for each in sentences_of(document) if each.start <= start < end <= each.end)
    return next(held, None)


@lru_cache(maxsize=8)
def sentences_of(document: Document) -> tuple[Sentence, ...]:
    """Return the sentences of a document; claims on it come one after another."""
    return tuple(split_sentences(document.text, document.blocks))


@lru_cache(maxsize=8)
def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, each once, in small letters."""
    return frozenset(re.findall(r"\w+", text.lower()))


def is_name(words: str) -> bool:
    """Return whether words can be a person's name: few, the first and last in capitals.

    >>> is_name("Ursula von der Leyen"), is_name("the talks went on"), is_name("Xi")
    (True, False, True)
    """
    parts = words.split()
    return (
        bool(NAME.fullmatch(words))
        and 0 < len(parts) <= LONGEST_NAME
        and all(
            not part[0].islower() or (len(part) <= 3 and 0 < at < len(parts) - 1)
            for at, part in enumerate(parts)
        )
    )


def flat(text: str) -> str:
    """Return a text on one line, in small letters.

    >>> flat("Very  tough\\ntalks")
    'very tough talks'
    """
    return " ".join(text.lower().split())


def told(value: object) -> str:
    """Return what was found as a message may print it: short, and nothing but plain characters.

    >>> told("a\\x1b[31m"), told(10**70)
    ('"a\\\\u001b[31m"', '1000000000000000000000000000000000000000…')
    """
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nested beyond reason
        return "something too large to print"
    return text if len(text) <= 40 else text[:40] + "…"
