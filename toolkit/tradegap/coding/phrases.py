"""Second stage, beside the speakers: what one noun phrase names: a person, an office, a side.

A phrase is read from the verb of saying backwards to the nearest boundary, or forwards behind
"said" and "according to", within a fixed reach, so that no sentence takes long. Names of parties
are blank in it ("@@@@"); where they stand, the mentions tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Protocol

from tradegap.coding.cues import read_rows
from tradegap.coding.people import NAME, NAMES, TITLE, People, Source, role_of

__all__ = ["REACH", "Reader", "Reading", "Resolver"]

# How many characters before or behind a verb are read for its subject.
REACH = 240
BOUNDARY = re.compile(
    r"[;:!?,“”\"—–(]|\.(?= )(?<=[a-z]{3}\.)|(?<= )-+(?= )|\b(?:that|which|who|whom|as|after|while"
    r"|because|but|when|if|although|though|where|since|before|until|so|what|whether|how|why|yet"
    r"|than|once|amid|despite)\b",
    re.IGNORECASE,
)
STOP = re.compile(
    r"[.,;:!?“”\"()—–]| -+ |\b(?:who|in an?|after|during|when|while|told|as|before|adding)\b"
)
ABBREVIATED = re.compile(r"(?:^|[\s.])[A-Z][a-z]{0,2}\Z")
ASIDES = {",": ",", "–": "–", "-": " -", ")": "("}
RELATIVE = re.compile(r",? ?\b(?:who|which)\Z")
PRONOUN = re.compile(r"(?:^|\s)(he|she|they|it)\Z", re.IGNORECASE)
PRONOUN_FIRST = re.compile(r"(he|she|they|it)\b", re.IGNORECASE)
NOBODY = re.compile(r"(?:^|\s)(?:I|we|you|who|which|that|what|there|this)\Z", re.IGNORECASE)
NOBODY_FIRST = re.compile(r"(?:I|we|you|that|this|there|reporters|his|her|their)\b")
OPENS_PHRASE = re.compile(
    r"(?:an?|the|one|some|another|several|two|both|many|most|senior|top)\b|[A-Z@]"
    r"|[a-z]+ (?:[a-z]+ )?[A-Z]|[a-z]+s\b|[a-z]+ [a-z]+s\b|[a-z@.-]+ \w+"
)
FILLER = re.compile(
    r"(?:and|but|or|also|meanwhile|however|yesterday|today|still|even|now|earlier|later|last night"
    r"|last week|this week|for (?:his|her|their|its) part|in turn|so|yet|while|although)\b ?",
    re.IGNORECASE,
)
INDEFINITE = re.compile(r"(?:an?|one|some|another|any|each|no)\b", re.IGNORECASE)
HONORIFIC = (
    r"(?: (?:the|Mr|Mrs|Ms|Dr|Sir|Lord|President|Minister|Secretary|Prime|Trade|Foreign)\.?)*"
)
OF_PERSON = re.compile(rf"\b(?:for|of|to|by|from|with|on|in|against|near){HONORIFIC} \Z")
OF_PLACE = re.compile(r" (?:of|from|at|for|in) ")
IN_PLACE = re.compile(
    r"\b(?:in|to|with|from|against|between|on|for|by|of|at) (?:the )?\Z", re.IGNORECASE
)
UNDER_PREPOSITION = re.compile(
    r"\b(?:in|on|at|to|by|with|from|against|between|of|into|over)\s+"
    r"(?:(?:the|an?|its|their) )?(?:[\w@-]+ ){0,2}\Z"
)
COMPLEMENT = re.compile(r"\b(?:in|of|for|from|at|with|on|close to|familiar|involved|near|to)\b")
BOTH = re.compile(
    r"\b(?:both|two|either) (?:sides|countries|governments|nations|parties|leaders)\b"
)
PREDICATE = re.compile(
    r"\b(?:for|of|to|by|with|from|in|at|on|and|said|that|after|is|are|was|has|have|will)\b|[,;:]"
)
# A name behind some words that may be its titles.
TITLED = re.compile(rf"((?:[\w’'@.-]+ ){{0,8}}?)({NAME})(?=['’]?[ ,(–-]|\Z)(?!['’]s)")
APPOSED = re.compile(rf", ({NAME})\s*(?:[,.]|\Z)")


@dataclass(frozen=True)
class Reading:
    """What a noun phrase names, and where it begins."""

    source: Source
    kind: str  # name, office, role, party, he, she, they, it
    is_plural: bool = False
    begins: int = 0
    is_relative: bool = False  # the subject of "who said", not of a sentence


class Resolver(Protocol):
    """What the sentences before tell: whom "the minister" and "the officials" mean."""

    def office(self, words: str, side: str) -> str:
        """Return the name of the person that an office without a name stands for."""

    def group(self) -> Source:
        """Return the unnamed source that "the officials" or "one" refers back to."""


@cache
def source_nouns() -> tuple[re.Pattern[str], frozenset[str]]:
    """Return the pattern of the nouns in cues/nouns.csv that may say something, and the plurals."""
    nouns = [row for row in read_rows("nouns.csv") if row["is_source"] == "yes"]
    longest = sorted((row["noun"] for row in nouns), key=lambda noun: (-len(noun), noun))
    plurals = frozenset(row["noun"] for row in nouns if row["number"] == "many")
    return re.compile(rf"\b(?:{'|'.join(longest)})\b", re.IGNORECASE), plurals


def pronoun_at(word: str, start: int) -> Reading:
    """Return the reading of a pronoun."""
    return Reading(Source(), word.lower(), word.lower() == "they", start)


@lru_cache(maxsize=2000)  # a document is read twice
def cut_phrase(words: str) -> tuple[int, str, str]:
    """Return where the last noun phrase of some words begins, itself, and its pronoun, if any.

    What can name nobody ("I", "this") is no phrase.

    >>> cut_phrase("The talks ended, but the envoy ")
    (21, 'the envoy', '')
    """
    begin = 0
    for boundary in BOUNDARY.finditer(words):
        begin = boundary.end()
    while True:
        begin += len(words[begin:]) - len(words[begin:].lstrip())
        filler = FILLER.match(words, begin)
        if not filler:
            break
        begin = filler.end()
    phrase = words[begin:].rstrip()
    if NOBODY.search(phrase):
        return begin, "", ""
    pronoun = PRONOUN.search(phrase)
    return begin, phrase, pronoun.group(1) if pronoun else ""


class Reader:
    """Reads noun phrases of one document's sentences."""

    def __init__(self, people: People, resolver: Resolver, *, is_title: bool) -> None:
        """Read by what is known of the people; a title has capitals that mean nothing."""
        self.people, self.resolver, self.is_title = people, resolver, is_title

    def before(self, left: str, offset: int) -> Reading | None:
        """Return what the words right before a verb name; `offset` is where they begin."""
        words = left.rstrip()
        relative = RELATIVE.search(words) if words.endswith(("who", "which")) else None
        if relative:
            words = words[: relative.start()].rstrip(" ,")
        # An apposition or aside between the name and the verb is stepped over.
        for _ in range(4):
            if not words or words[-1] not in ASIDES:
                break
            opening = ASIDES[words[-1]]
            at = words[:-1].rfind(opening)
            if at < 0:
                return None
            ahead = words[:at].rstrip()
            got = self.last_phrase(ahead, offset)
            if not got or got.kind != "name":
                # "The chairman of the conference, Ana Diaz of Peru, said …"
                aside = words[at + len(opening) : -1]
                apposed = self.last_phrase(aside, offset + at + len(opening))
                got = apposed if apposed and apposed.kind == "name" else got
            if got and got.kind in ("name", "office", "role", "party"):
                return replace(got, is_relative=bool(relative))
            words = ahead if words[-1] == ")" else ahead + "," if "," in ahead else ""
        got = self.last_phrase(words, offset) if words and words[-1] not in ASIDES else None
        return replace(got, is_relative=bool(relative)) if got else None

    def last_phrase(self, words: str, offset: int) -> Reading | None:
        """Return what the last noun phrase of some words names."""
        begin, phrase, pronoun = cut_phrase(words)
        if pronoun:
            return pronoun_at(pronoun, offset + begin)
        return self.phrase(phrase, offset + begin) if phrase else None

    def phrase(self, phrase: str, start: int) -> Reading | None:
        """Return what a noun phrase names: a person, an office, a role or a party."""
        named = self.name_in(phrase, start)
        if named:
            return named
        party = self.party_in(phrase, start)
        if party:
            return party
        pattern, plurals = source_nouns()
        nouns = list(pattern.finditer(phrase))
        if not nouns:
            return None
        # "Officials in the ministry" are officials; "ministry officials" are, too.
        complement = COMPLEMENT.search(phrase, nouns[0].end())
        end = complement.start() if complement else len(phrase)
        head = [each for each in nouns if each.start() < end][-1]
        ahead = phrase[: head.start()]
        if UNDER_PREPOSITION.search(ahead) and not re.search(r"\bof\b", ahead):
            return None
        side = self.side_of(phrase, start)
        is_plural = head.group().lower() in plurals
        if not is_plural and TITLE.search(head.group()) and not INDEFINITE.match(phrase):
            person = self.resolver.office(phrase, side)
            if person:
                source = Source(person, self.people.side(person) or side)
                return Reading(source, "office", False, start)
        return Reading(Source("", side), "role", is_plural, start)

    def name_in(self, phrase: str, start: int) -> Reading | None:
        """Return the person whom a phrase names, at its end or before "of Peru"."""
        pattern, plurals = source_nouns()
        runs = list(NAMES.finditer(phrase))
        if not runs:
            return None
        if re.fullmatch(r"\W{0,2}", phrase[runs[-1].end() :]):
            name, at = self.known(runs[-1].group(), runs[-1].start())
            if name and not OF_PERSON.search(phrase[:at]):
                return self.named(name, phrase, start)
            noun = pattern.search(phrase[:at]) if name else None
            if noun and phrase.split()[0].lower() not in ("in", "on", "at"):
                # "A spokesman for Meyer" has Meyer's side and no name.
                source = Source("", self.people.side(name))
                return Reading(source, "role", noun.group().lower() in plurals, start)
        name, at = self.known(runs[0].group(), runs[0].start())
        ahead = phrase[: runs[0].start()]
        is_titled = not pattern.search(ahead) or bool(TITLE.search(ahead))
        is_placed = bool(OF_PLACE.match(phrase, runs[0].end()))
        is_owned = bool(re.search(r"\b(?:for|of|by|from|with) \Z", phrase[:at]))
        return (
            self.named(name, phrase, start)
            if name and is_titled and is_placed and not is_owned
            else None
        )

    def party_in(self, phrase: str, start: int) -> Reading | None:
        """Return the party that is itself the subject, as in "Tokyo said", or two of them."""
        inside = self.people.parties_between(start, start + len(phrase))
        if not inside or source_nouns()[0].search(phrase):
            return None
        text = self.people.text
        rest = text[inside[-1].end : start + len(phrase)]
        if re.search(r"\w", rest) or IN_PLACE.search(phrase[: max(0, inside[-1].start - start)]):
            return None
        parties = {self.people.bloc(inside[-1].party)}
        if len(inside) > 1:
            between = text[inside[-2].end : inside[-1].start]
            if re.fullmatch(r"\s*(?:and|or|,)(?: the)?\s*", between):
                parties.add(self.people.bloc(inside[-2].party))
        return Reading(Source("", ";".join(sorted(parties))), "party", len(parties) > 1, start)

    def behind(self, right: str, offset: int) -> Reading | None:
        """Return what the words behind a verb name, as in '…,' said the minister."""
        lead = len(right) - len(right.lstrip())
        right = right.lstrip()
        stops = (
            found.start()
            for found in STOP.finditer(right)
            if found.group() != "." or not ABBREVIATED.search(right[: found.start()])
        )
        end = next(stops, len(right))
        phrase, rest = right[:end].rstrip(), right[end:]
        pronoun = PRONOUN_FIRST.match(phrase)
        if pronoun:
            return pronoun_at(pronoun.group(1), offset + lead)
        if NOBODY_FIRST.match(phrase) or not OPENS_PHRASE.match(phrase):
            return None
        for run in NAMES.finditer(phrase):
            name, at = self.known(run.group(), run.start())
            if name and not OF_PERSON.search(phrase[:at]):
                return self.named(name, phrase, offset + lead)
        apposed = APPOSED.match(rest)
        if apposed and source_nouns()[0].search(phrase):
            name, _ = self.known(apposed.group(1), 0)
            if name:
                return self.named(name, phrase, offset + lead)
        return self.phrase(phrase, offset + lead)

    def subject(self, bare: str, start: int) -> Reading | None:
        """Return the person or pronoun that is the subject at the beginning of a sentence."""
        lead = len(bare) - len(bare.lstrip(" -•“”‘’'\""))
        phrase = bare[lead : lead + REACH]
        filler = FILLER.match(phrase)
        if filler:
            lead += filler.end()
            phrase = phrase[filler.end() :]
        pronoun = PRONOUN_FIRST.match(phrase)
        if pronoun:
            return pronoun_at(pronoun.group(1), start + lead)
        titled = TITLED.match(phrase)
        if titled:
            name, at = self.known(titled.group(2), titled.start(2))
            if name and not PREDICATE.search(phrase[:at]):
                return self.named(name, phrase[:at], start + lead)
        return None

    def known(self, words: str, at: int) -> tuple[str, int]:
        """Return the person's name in a run of capitalised words, if any, and where it starts."""
        people = self.people
        name, begin = people.person(words, at)
        last = words.split()[-1]
        if not name:
            return (last, at + len(words) - len(last)) if last in people.by_word else ("", at)
        person = people.known(name)
        is_short = len(name.split()) == 1
        if person is None and (is_short or self.is_title):
            return "", at
        if self.is_title and person and not is_short:
            last = name.split()[-1]
            if person.name.split()[0] != name.split()[0]:
                return last, at + len(words) - len(last)
        return name, begin

    def named(self, name: str, phrase: str, start: int) -> Reading:
        """Return a named person with the side that the document, or else the phrase, tells."""
        side = self.people.side(name) or role_of(phrase, has_party=False)
        return Reading(Source(self.people.named(name), side), "name", False, start)

    def side_of(self, phrase: str, start: int) -> str:
        """Return the side of an unnamed source: its role, commodity, party or office."""
        people = self.people
        inside = [people.bloc(m.party) for m in people.parties_between(start, start + len(phrase))]
        plain = phrase.lower()
        halves = plain.split(" and ")
        role = role_of(phrase, has_party=bool(inside))
        if role:
            # "Traders and delegates said" is no single side.
            is_mixed = len(halves) > 1 and any(
                source_nouns()[0].search(half) and not role_of(half, has_party=bool(inside))
                for half in halves
            )
            return "" if is_mixed else role
        group = people.side_of_group(phrase)
        if group:
            return group
        if BOTH.search(plain):
            return ";".join(sorted(people.talks)) if len(people.talks) == 2 else ""
        if inside:
            return ";".join(sorted(set(inside[-2:]))) if len(halves) > 1 else inside[0]
        return people.side_of_office(phrase)
