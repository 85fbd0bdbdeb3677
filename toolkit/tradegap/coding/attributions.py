"""Second stage, beside the speakers: the attributions that one sentence makes.

An attribution is a verb of saying with its subject before it ("the minister said") or behind it
("said the minister"), "according to" with a noun phrase, or a participle ("…, warning that") that
has the sentence's own subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from tradegap.coding.cues import read_rows
from tradegap.coding.people import NAME
from tradegap.coding.phrases import REACH, Reader, Reading

__all__ = ["Attribution", "find_attributions"]

WORD = re.compile(r"\w+")
DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
# What may stand between a subject and its verb of saying.
BETWEEN = re.compile(
    r"(?:(?<=\W)|^)(?:has|have|had|is|are|was|were|been|be|remains?|remained|becomes?|became|become"
    r"|feels?|felt|did|does|do|also|then|later|today|yesterday|again|further|previously|earlier|now"
    r"|still|once|just|both|all|each|more|increasingly|repeatedly|tonight|reportedly|[a-z]+ly"
    r"|(?:last|this|earlier this|late last) (?:night|week|month|year|morning|afternoon|evening)"
    rf"|(?:on |late on |early on |last )?{DAY}(?: night| evening)?"
    r"|(?:appear|appeared|seem|seemed|seek|seeks|sought|try|tried|went on|continue|continued|moved"
    r"|rushed|hastened|quick|keen) to|(?:is|was) said to have|quoted (?:by [^,]{1,40} )?as"
    r"|(?:is|was|been) quoted as) \Z"
)
PASSIVE = re.compile(r"\b(?:been|was|were|be|is|are|being)\s+(?:\w+ly )?\Z")
PROGRESSIVE = re.compile(r"\b(?:is|are|was|were|been)\b")
# Only these verbs stand before their subject, as in "…," said the minister.
INVERTED = frozenset(("said", "says", "added", "told", "wrote", "warned", "insisted", "explained"))
OWN_SUBJECT = re.compile(r"\bwith\b[^,]{2,60}\Z")
ACCORDING = re.compile(r"\baccording to ", re.IGNORECASE)
OPENER = re.compile(r"(?:^|[\s,])(\w+)\s+(?:\w+ly )?\Z")
# What is said in a clause behind one of these is not the sentence's own attribution.
SUBORDINATE = frozenset(
    each
    for words in (
        "after when since because once until before as if though although than amid despite",
        "who which where whom that what",
    )
    for each in words.split()
)
DEFINITE = re.compile(
    r"(?:(?:the|these|those) (?:officials?|sources?|diplomats?|delegates?|aides?|negotiators?"
    r"|ministers?|people|traders?|analysts?)|one|another|others|some"
    r"|a (?:second|third)(?: \w+)? (?:source|official|diplomat)) ",
    re.IGNORECASE,
)
# "It comes as Meyer said", "The warning came after Meyer said": the clause is all that matters.
DUMMY = re.compile(
    r"[^.]{0,70}\b(?:comes?|came)\b (?:\w+ ){0,3}?(?:as|after|when|amid claims that)\b"
    r"|\W*(?:and |but )?(?:it|this|that|(?:the|his|her|their|these|those|such|@+['’]?s?"
    r"|[\w’']+['’]s)"
    r" (?:\w+ ){0,3}?(?:comments?|remarks?|words|warnings?|statements?|stance|move|speech"
    r"|intervention|news|claims?|announcement|threat|admission|development)"
    r"(?: on \w+| from [@\w ]{1,12})?) (?:also |later )?(?:comes?|came|follow(?:s|ed)"
    r"|echo(?:es|ed)|contrast(?:s|ed)|coincide[sd]?|seem(?:s|ed)?|appeared)\b",
    re.IGNORECASE,
)
DUMMY_CLAUSE = re.compile(rf"\b(?:as|after|when|that) ([^,]{{0,60}}?(?<!\w){NAME})")


@dataclass(frozen=True)
class Attribution:
    """One attribution: what says, where its verb stands, and what tells if it is the outermost."""

    reading: Reading
    place: int
    is_embedded: bool = False  # in a subordinate clause
    is_last: bool = False  # closes the sentence, as in "…, he said."


@cache
def verbs() -> dict[str, str]:
    """Return the forms of the verbs in cues/speech.csv, each a single word, and their kinds."""
    return {form: row["kind"] for row in read_rows("speech.csv") for form in row["forms"].split()}


def find_attributions(bare: str, start: int, reader: Reader) -> Iterator[Attribution]:
    """Yield the attributions of a sentence, of which `bare` lacks quotations and parties."""
    kinds = verbs()
    is_dummy, said = find_verbs(bare)
    for verb, found, left, rest, between, is_passive in said:
        place = found.start()
        offset = start + place - len(left)
        if is_passive:
            if bare.startswith(" by ", found.end()):
                got = reader.behind(words_at(bare, found.end() + 4), start + found.end() + 4)
                if got:
                    yield Attribution(got, place)
            continue
        if verb.endswith("ing") and not PROGRESSIVE.search(between):
            if OWN_SUBJECT.search(left):
                got = reader.before(rest, offset)
            elif rest.rstrip().endswith((",", "”")) or not rest.strip():
                got = reader.subject(bare, start)
            else:
                got = None
            if got and not (is_dummy and got.kind == "it"):
                yield Attribution(got, place, is_embedded=bool(OWN_SUBJECT.search(left)))
            continue
        got = reader.before(rest, offset)
        if verb in INVERTED and stands_first(left, got):
            behind = reader.behind(words_at(bare, found.end()), start + found.end())
            if behind:
                yield Attribution(behind, place, is_last=True)
                continue
        if not got or not attributes(kinds[verb], got.kind):
            continue
        begins = got.begins - start
        if got.kind in ("role", "party") and not got.source.party and DEFINITE.match(bare, begins):
            got = Reading(reader.resolver.group(), got.kind, got.is_plural, got.begins)
        opener = OPENER.search(bare[max(0, begins - 60) : max(0, begins)])
        word = opener.group(1).lower() if opener else ""
        is_embedded = got.is_relative or (word in SUBORDINATE and word != "as")
        yield Attribution(
            got, place, is_embedded=is_embedded and not is_dummy, is_last=closes(bare, found, rest)
        )
    for found in ACCORDING.finditer(bare):
        got = reader.behind(words_at(bare, found.end()), start + found.end())
        if got:
            yield Attribution(got, found.start(), is_last=True)
    clause = DUMMY_CLAUSE.search(bare) if is_dummy else None
    if clause:
        got = reader.phrase(clause.group(1), start + clause.start(1))
        if got and got.kind == "name":
            yield Attribution(got, len(bare))


class Verb(NamedTuple):
    """A verb of saying in a sentence, and what stands before it."""

    form: str
    found: re.Match[str]
    left: str  # the words within reach before it
    rest: str  # of these what stands before its adverbs and auxiliaries
    between: str  # and those
    is_passive: bool


@lru_cache(maxsize=1000)  # a document is read twice
def find_verbs(bare: str) -> tuple[bool, list[Verb]]:
    """Return whether a sentence has a subject that stands for nobody, and its verbs of saying."""
    said = []
    for found in WORD.finditer(bare):
        form = found.group().lower()
        if form in verbs():
            left = bare[max(0, found.start() - REACH) : found.start()]
            is_participle = form.endswith(("ed", "said", "thought"))
            is_passive = is_participle and bool(PASSIVE.search(left))
            said.append(Verb(form, found, left, *without_between(left), is_passive))
    return bool(DUMMY.match(bare)), said


def words_at(bare: str, at: int) -> str:
    """Return the words within reach behind a place."""
    return bare[at : at + REACH]


def attributes(verb_kind: str, subject_kind: str) -> bool:
    """Return whether a verb of a kind attributes what it reports to a subject of a kind.

    A person who announces says so; a government that announces only does. A threat that a person
    has made is told by the narrator.

    >>> attributes("announces", "name"), attributes("announces", "party")
    (True, False)
    """
    is_person = subject_kind in ("name", "office", "he", "she")
    return not (verb_kind == "announces" and not is_person) and not (
        verb_kind == "threatens" and subject_kind in ("name", "office")
    )


def stands_first(left: str, got: Reading | None) -> bool:
    """Return whether a verb may stand before its subject: behind a quotation, or a comma at least.

    In "Meyer, the envoy, said the talks" it does not, since the name is before it.
    """
    before = left.rstrip()
    if not before or before[-1] in "”\"’'?!–-":
        return True
    return before.endswith(",") and (got is None or before[:-1].rstrip().endswith("”"))


def closes(bare: str, verb: re.Match[str], rest: str) -> bool:
    """Return whether an attribution closes its sentence, so that all of it is what was said."""
    tail = bare[verb.end() : verb.end() + 60]
    is_short = bool(re.fullmatch(r"[^,]{0,50}[.”]*", tail)) and verb.end() + 60 > len(bare)
    return not tail.strip(" .”") or (is_short and rest.rstrip().endswith((",", "”")))


def without_between(left: str) -> tuple[str, str]:
    """Return the words before a verb without its adverbs and auxiliaries, and those.

    >>> without_between("Meyer has also ")
    ('Meyer ', 'has also ')
    """
    rest = left
    for _ in range(6):
        end = rest[-60:]
        found = BETWEEN.search(end)
        if not found:
            break
        rest = rest[: len(rest) - len(end) + found.start()]
    return rest, left[len(rest) :]
