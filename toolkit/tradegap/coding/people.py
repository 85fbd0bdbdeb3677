"""Second stage, beside the speakers: the persons of one document, as far as it tells of them.

A person has a name, as fully as the document ever gives it, the offices that stand beside it, and a
side: the party that a title, a nationality or an apposition tells, or the role of a bystander.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

from tradegap.coding.cues import read_rows
from tradegap.coding.parties import Mention, lexicon
from tradegap.tables import split_list

__all__ = ["NAME", "NAMES", "TITLE", "People", "Person", "Source", "role_of"]

TITLE = re.compile(
    r"\b("
    + "|".join(row["noun"] for row in read_rows("nouns.csv") if row["is_title"] == "yes")
    + r")\b",
    re.IGNORECASE,
)

# How many persons with one title are looked through; more of them tell nothing.
MANY = 40
WORD = (
    r"(?:[A-ZÀ-Þ][a-zà-ÿ]+(?:[A-Z][a-zà-ÿ]+)?(?:['’-][A-ZÀ-Þ]?[a-zà-ÿ]+){0,3}"
    r"|[A-Z]['’][A-Z][a-zà-ÿ]+|[A-Z]\.)"
)
LINK = r"(?:de la|van der|von der|van de|de|van|von|bin|al|el|da|dos|del|di|ten|ter)"
NAME = rf"(?:{LINK} )?{WORD}(?: (?:{LINK} )?{WORD}){{0,6}}"
NAMES = re.compile(rf"(?<![\w’'-]){NAME}")
PARTICLES = frozenset(LINK[3:-1].replace("|", " ").split())
MONTHS = frozenset(("May", "June", "April", "March", "August"))
MALE, FEMALE = frozenset(("Mr", "Lord", "Sir")), frozenset(("Mrs", "Ms", "Miss", "Dame", "Lady"))
PEERS = frozenset(("Lord", "Lady", "Baroness"))
HONORIFIC = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Lord|Sir|Dame|Dr|President|Secretary|Minister|Premier|Sen|Rep)\.? \Z"
)
COMMUNITY = re.compile(r"\b(?:EC|EEC|E\.C\.|European (?:Economic )?Community)\b")
# What separates the words that belong to a name from those before it.
SEPARATOR = re.compile(
    r"[.;:!?\n”“\"(]\s|,\s(?!and)|\b(?:said|says|told|with|and|to|that|by|as|after|from|when|against"
    r"|between|than|while|before|but)\s"
)
APPOSED = re.compile(
    r"(?:['’]s?)?(?:, who is|,| \(| –| -|, is| of| is) ?(?:(?!\b(?:said|says|told|due|met|with"
    r"|to|after|when|against|while|from|warned|insisted)\b)[^.;:“”\"\n()–]){2,110}"
)
APPOSED_BEFORE = re.compile(
    r"(?:\A|[.;,–-]\s|\n|\b(?:of|by|from|with|to|said) )((?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Ii]ts"
    r"|[\w.]+['’]s) [^.;,]{3,130}), ?\Z"
)
PRODUCERS = re.compile(r"\bproduc(?:ers?|ing)\b")
CONSUMERS = re.compile(r"\b(?:consumers?|consuming|importers|importing)\b")
OWNER = re.compile(r"['’]?s?\s*(?:[A-Z][\w-]*\s+){0,4}")


@dataclass(frozen=True)
class Source:
    """Who says a sentence: a name, if any is given, and the side."""

    speaker: str = ""
    party: str = ""


@dataclass
class Person:
    """One person: the fullest name, the votes for a side, the offices, and he or she."""

    name: str
    sides: Counter[str] = field(default_factory=Counter)
    offices: set[str] = field(default_factory=set)
    is_female: bool | None = None
    first_at: int = 0


@cache
def commodities() -> re.Pattern[str]:
    """Return the pattern of the commodities whose producers are a party."""
    parties = {each for each in lexicon()[1].values() if each.endswith(" producers")}
    names = sorted(each.removesuffix(" producers") for each in parties)
    return re.compile(rf"\b(?:{'|'.join(names)})\b")


@cache
def not_names() -> frozenset[str]:
    """Return the capitalised words that are no part of a person's name, from cues/not_names.txt."""
    text = (files("tradegap") / "cues" / "not_names.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


@cache
def read_roles() -> tuple[tuple[str, bool, re.Pattern[str]], ...]:
    """Return the roles of bystanders, whether a party beside it outweighs it, and their words."""
    return tuple(
        (
            row["role"],
            row["party_first"] == "yes",
            re.compile(rf"\b(?:{row['pattern']})\b", re.IGNORECASE),
        )
        for row in read_rows("roles.csv")
    )


@cache
def read_offices() -> tuple[tuple[re.Pattern[str], list[str]], ...]:
    """Return the offices of cues/titles.csv and the parties that have them."""
    return tuple(
        (re.compile(rf"\b(?:{row['title']})\b", re.IGNORECASE), split_list(row["parties"]))
        for row in read_rows("titles.csv")
    )


def role_of(words: str, *, has_party: bool) -> str:
    """Return the role of a bystander that words tell: analyst, chair or observer.

    >>> role_of("a trade professor at Cornell", has_party=False)
    'analyst'
    """
    for role, party_first, pattern in read_roles():
        if not (party_first and has_party) and pattern.search(words):
            return role
    return ""


def blank_mentions(text: str, mentions: Sequence[Mention]) -> str:
    """Return a text of the same length in which the names of parties are no names of persons."""
    parts, last = [], 0
    for each in mentions:
        parts += [text[last : each.start], "@" * (each.end - each.start)]
        last = each.end
    return "".join([*parts, text[last:]])


@lru_cache(maxsize=10_000)
def is_no_name(word: str) -> bool:
    """Return whether a capitalised word is no part of a name: a title, an opener, a place."""
    return word.strip(".") in not_names() or re.sub(r"['’]s\Z", "", word) in lexicon()[1]


class People:
    """The persons of one document: their full names and sides, as far as it tells."""

    def __init__(
        self,
        text: str,
        mentions: list[Mention],
        talks: Sequence[str],
        *,
        headlines: Sequence[tuple[int, int]] = (),
        place: str = "",
    ) -> None:
        """Read the whole document for names with titles, nationalities and appositions."""
        self.text, self.mentions, self.talks = text, mentions, list(talks)
        self.starts = [each.start for each in mentions]
        self.place = place
        counts = Counter(each.party for each in mentions)
        most = max(counts.values(), default=0)
        self.present = set(counts)
        self.often = {party for party, count in counts.items() if count >= most / 4}
        self.is_community = "UK" not in talks and bool(COMMUNITY.search(text))
        self.commodity = self.find_commodity()
        self.blank = blank_mentions(text, mentions)
        self.by_word: dict[str, Person] = {}
        self.holders: dict[str, list[Person]] = {}
        self.first_names: dict[str, Person] = {}
        found = []
        for each in NAMES.finditer(self.blank):
            name, start = self.person(each.group(), each.start())
            index = bisect_right(headlines, (start, len(text))) - 1
            in_headline = index >= 0 and start < headlines[index][1]
            if name and not in_headline:
                found.append((name, start, each.end()))
        for name, start, _ in sorted(found, key=lambda each: (-len(each[0].split()), each[1])):
            titled = HONORIFIC.search(text[max(0, start - 12) : start])
            if len(name.split()) > 1 or (titled and name not in self.first_names):
                person = self.by_word.setdefault(name.split()[-1], Person(name, first_at=start))
                person.first_at = min(person.first_at, start)
                self.first_names.setdefault(name.split()[0], person)
        previous = 0
        for name, start, end in found:
            named = self.known(name)
            if named:
                self.learn(named, previous, start, end)
            previous = end

    def find_commodity(self) -> str:
        """Return the commodity of the talks between its producers and consumers, if it is such."""
        plain = self.text.lower()
        if not PRODUCERS.search(plain) or not CONSUMERS.search(plain):
            return ""
        words = Counter(commodities().findall(plain))
        if not words:
            return ""
        return str(words.most_common(1)[0][0])

    def person(self, words: str, start: int = 0) -> tuple[str, int]:
        """Return the name in a run of capitalised words, without titles, and where it starts."""
        parts = words.split()
        while parts and is_no_name(parts[0]):
            start += len(parts.pop(0)) + 1
        # "Theresa May" is a name, though "May" alone is a month.
        while parts and not (len(parts) == 2 and parts[1] in MONTHS):
            if parts[-1] not in PARTICLES and not is_no_name(parts[-1]):
                break
            parts.pop()
        if not parts or any(is_no_name(part) for part in parts[:-1]) or len(parts[-1]) < 2:
            return "", start
        return re.sub(r"['’]s?\Z", "", " ".join(parts)), start

    def known(self, name: str) -> Person | None:
        """Return the person that a name, or a part of it, stands for."""
        last = name.split()[-1]
        if last in self.by_word:
            return self.by_word[last]
        if len(name.split()) == 1:
            return self.first_names.get(last)
        return None

    def learn(self, person: Person, previous: int, start: int, end: int) -> None:
        """Take in what stands beside one place where a person is named, behind the name before."""
        # Places and nationalities are blank here, so that "U.S." ends no phrase.
        chunk = self.blank[max(previous, start - 160) : start]
        before = SEPARATOR.split(chunk[-100:])[-1]
        prefix = set(re.findall(r"\w+", before)[-1:])
        if prefix & FEMALE:
            person.is_female = True
        elif prefix & MALE:
            person.is_female = False
        if prefix & PEERS and "UK" in self.often:
            person.sides["UK"] += 1
        if before.endswith(" of "):
            return
        if not before.strip():
            apposed = APPOSED_BEFORE.search(chunk)
            before = chunk[apposed.start(1) :] if apposed and TITLE.search(apposed.group(1)) else ""
        after = APPOSED.match(self.blank, end, end + 120)
        tail = after.group() if after and TITLE.search(after.group()) else ""
        told = 0
        for words, first, last in (
            (before, start - len(before), start),
            (tail, end, end + len(tail)),
        ):
            titles = {each.lower() for each in TITLE.findall(words)}
            if words is tail:
                titles.discard("counterpart")
            if not words.strip():
                continue
            inside = self.parties_between(first, last)
            owner = (
                words is before and inside and OWNER.fullmatch(self.text[inside[-1].end : start])
            )
            role = role_of(words, has_party=bool(inside)) if titles or words is before else ""
            if role:
                person.sides[role] += 4
                self.give(person, titles)
                told += 1
                continue
            if not titles and not owner:
                continue
            self.give(person, titles)
            side = self.side_of_group(words)
            if not side and inside:
                side = self.bloc((inside[-1] if words is before else inside[0]).party)
            if side:
                person.sides[side] += 3
                told += 1
                continue
            side = self.side_of_office(words)
            if side:
                person.sides[side] += 1
                told += 1
        if not told and re.match(r" (?:(?:of|from) (?:the )?|\()@", self.blank[end : end + 16]):
            inside = self.parties_between(end, end + 20)
            if inside:
                person.sides[self.bloc(inside[0].party)] += 1

    def side_of_group(self, words: str) -> str:
        """Return the producers or consumers that words tell, where they are those who talk."""
        if not self.commodity:
            return ""
        plain = words.lower()
        return ";".join(
            f"{self.commodity} {whose}"
            for whose, stem in (("consumers", r"consum|import"), ("producers", r"produc|export"))
            if re.search(rf"\b(?:{stem})", plain)
        )

    def parties_between(self, start: int, end: int) -> list[Mention]:
        """Return the mentions of parties that begin between two places."""
        low, high = bisect_left(self.starts, start), bisect_left(self.starts, end)
        return self.mentions[low:high]

    def bloc(self, party: str) -> str:
        """Return the party in the document's talks that a party belongs to.

        >>> People("EC trade with Japan.", [], ["EU", "Japan"]).bloc("UK")
        'EU'
        """
        return "EU" if party == "UK" and "EU" in self.talks and self.is_community else party

    def side_of_office(self, words: str, *, is_first: bool = False) -> str:
        """Return the party whose office a title names, where the talks leave little doubt.

        With `is_first`, only an office that the words begin with counts.
        """
        for pattern, parties in read_offices():
            if pattern.match(words) if is_first else pattern.search(words):
                if self.place in parties:
                    return self.place
                for known in (self.often | set(self.talks), self.present):
                    fitting = [each for each in parties if each in known]
                    if fitting:
                        return fitting[0]
        return ""

    def side(self, name: str) -> str:
        """Return the side that the document gives a person most often."""
        person = self.known(name)
        if not person or not person.sides:
            return self.place if person and person.offices else ""
        return max(person.sides.items(), key=lambda each: each[1])[0]

    def with_office(self, titles: set[str]) -> list[Person]:
        """Return the persons of whom the document tells one of these titles, up to some dozens."""
        holders: dict[int, Person] = {}
        for title in sorted(titles):
            for person in self.holders.get(title, ())[:MANY]:
                holders[id(person)] = person
        return list(holders.values())

    def give(self, person: Person, titles: set[str]) -> None:
        """Take in that a person has these titles."""
        for title in titles - person.offices:
            self.holders.setdefault(title, []).append(person)
        person.offices |= titles

    def named(self, name: str) -> str:
        """Return the fullest form of a name."""
        person = self.known(name)
        return person.name if person else name
