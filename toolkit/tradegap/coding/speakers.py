"""Second stage, beside the cues: who says a sentence, and for which side.

The speaker is the named person of the outermost attribution, as fully as the document ever names
them; he, she and a quotation that goes on are carried back to the name. The party is the side of
the source, which a title, a nationality or a capital tells, also where no person is named.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tradegap.coding.cues import read_rows
from tradegap.coding.parties import DATELINE, Mention, lexicon
from tradegap.coding.sentences import Sentence
from tradegap.tables import split_list

__all__ = ["Source", "find_sources"]

VERBS = (
    r"(?:said|says|say|saying|told|tells|added|adds|adding|warn(?:s|ed)|insist(?:s|ed)|stress(?:es|ed)"
    r"|not(?:es|ed)|acknowledg(?:es|ed)|admit(?:s|ted)|argu(?:es|ed)|claim(?:s|ed)|predict(?:s|ed)"
    r"|declar(?:es|ed)|announc(?:es|ed)|reiterat(?:es|ed)|accus(?:es|ed)|urg(?:es|ed)|vow(?:s|ed)"
    r"|wrote|writes|tweet(?:s|ed)|conced(?:es|ed)|suggest(?:s|ed)|believ(?:es|ed)|explain(?:s|ed)"
    r"|comment(?:s|ed)|den(?:ies|ied)|express(?:es|ed)|testif(?:ies|ied)|repl(?:ies|ied)"
    r"|counter(?:s|ed)|promis(?:es|ed)|pledg(?:es|ed)|hint(?:s|ed)|call(?:s|ed)|indicat(?:es|ed)"
    r"|doubt(?:s|ed)|threaten(?:s|ed)|complain(?:s|ed)|confirm(?:s|ed)|recall(?:s|ed)|hopes|hoped"
    r"|expects|expected|rejects|rejected|criticis?z?(?:es|ed)|refus(?:es|ed)|caution(?:s|ed)"
    r"|remark(?:s|ed)|report(?:s|ed)|alleg(?:es|ed)|emphasi[sz](?:es|ed)|quoted|maintain(?:s|ed))"
)
WORD = r"(?:[A-Z][a-zà-ÿ]+(?:['’-][A-Z]?[a-zà-ÿ]+)*|[A-Z]['’][A-Z][a-zà-ÿ]+|Mc[A-Z][a-z]+|[A-Z]\.)"
LINK = r"(?:de la|van der|von der|de|van|von|bin|al|el|da|dos|del|di)"
NAME = rf"{WORD}(?: (?:{LINK} )?{WORD}){{0,5}}"
ADVERBS = r"(?:has|have|had|also|then|later|today|yesterday|again|further|previously|[a-z]+ly) "
ASIDE = r"(?:,? \([^()]{1,60}\))?(?:, [^,“”\"]{2,120}(?:, [^,“”\"]{2,80})?,)?"
SAYS = re.compile(rf"\b({NAME}){ASIDE} (?:{ADVERBS}){{0,2}}{VERBS}\b")
SAID_BY = re.compile(
    rf"[,”\"'’] (?:said|says|added|told|wrote|according to) ((?:[A-Za-z.'’,@-]+ ){{0,9}}?)({NAME})"
)
ACCORDING = re.compile(rf"\b[Aa]ccording to ((?:[A-Za-z.'’@-]+ ){{0,7}}?)({NAME})")
INTRODUCED = re.compile(
    rf"^\W{{0,3}}((?:[\w.&,'’@-]+ ){{0,14}}?)({NAME})(?:, [^:“]{{2,80}})?: ?[“\"'‘]"
)
PRONOUN = re.compile(rf"\b([Hh]e|[Ss]he) (?:{ADVERBS}){{0,2}}{VERBS}\b")
POSSESSIVE = re.compile(
    r"^\W{0,2}(?:His|Her) (?:comments|remarks|words|warning|speech|statement)\b"
)
UNNAMED = re.compile(
    r"((?:[\w.’'&/@-]+ ){0,7}?)(officials?|spokes(?:man|woman|person)|sources?|diplomats?"
    r"|delegates?|ministry|government|ministers?|negotiators?|commission|office|department|statement|aides?"
    r"|administration|envoys?|representatives?|economists?|analysts?|traders?|observers?|dealers?"
    r"|experts?|sides|producers|consumers|adviser?s?|advisors?|leaders|lawmakers|delegation|insiders)"
    rf"(?: (?:[\w.’'-]+ ){{0,6}}?|, [^,]{{2,80}}, | )(?:{ADVERBS}){{0,2}}{VERBS}\b",
    re.IGNORECASE,
)
QUOTED_PARTS = re.compile(
    r"“[^”]*(?:”|\Z)|\"[^\"]*(?:\"|\Z)|(?<!\w)[‘'][^’']{12,}?(?:[’'](?!\w)|\Z)"
)
PARTICLES = frozenset(
    ("de", "la", "van", "der", "von", "bin", "al", "el", "da", "dos", "del", "di")
)
ROLES = (
    (
        "chair",
        re.compile(
            r"\b(conference|council|meeting|session) (chair\w*|president)|\bchair\w* of the"
            r" (conference|council|talks|meeting)",
            re.IGNORECASE,
        ),
    ),
    (
        "analyst",
        re.compile(
            r"\b(analysts?|economists?|professor|traders?|dealers?|strategists?|brokers?"
            r"|research|brokerage|trade sources)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "observer",
        re.compile(
            r"\b(observers?|association|institute|federation|council (president|ceo)|ceo"
            r"|chief executive|former|chamber|lobby\w*|think.tank|union leader|farmers"
            r"|executive director|coalition|growers)\b",
            re.IGNORECASE,
        ),
    ),
)


@dataclass(frozen=True)
class Source:
    """Who says a sentence: a name, if any is given, and the side."""

    speaker: str = ""
    party: str = ""


@cache
def not_names() -> frozenset[str]:
    """Return the capitalised words that are no part of a person's name, from cues/not_names.txt."""
    text = (files("tradegap") / "cues" / "not_names.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


class People:
    """The persons of one document: their full names and sides, as far as it tells."""

    def __init__(self, text: str, mentions: list[Mention], talks: Sequence[str]) -> None:
        """Read the whole document for names with titles, nationalities and appositions."""
        self.text, self.mentions, self.talks = text, mentions, talks
        self.starts = [each.start for each in mentions]
        self.full: dict[str, str] = {}
        self.sides: dict[str, Counter[str]] = {}
        self.blank = blank_mentions(text, mentions)
        for found in re.finditer(rf"\b{NAME}", self.blank):
            name = self.person(found.group())
            if not name:
                continue
            surname = name.split()[-1]
            if len(name.split()) > len(self.full.get(surname, "").split()):
                self.full[surname] = name
            side = self.side_near(found.start() + found.group().find(name.split()[0]), found.end())
            if side:
                self.sides.setdefault(surname, Counter())[side] += 1

    def person(self, words: str) -> str:
        """Return the name in a run of capitalised words, without titles, parties and openers."""
        parts = words.split()
        while parts and (parts[0].strip(".") in not_names() or is_place(parts[0])):
            parts.pop(0)
        while parts and (parts[-1] in PARTICLES or parts[-1].strip(".") in not_names()):
            parts.pop()
        if not parts or any(part in not_names() or is_place(part) for part in parts):
            return ""
        name = " ".join(parts)
        return re.sub(r"['’]s?\Z", "", name)

    def side_near(self, start: int, end: int) -> str:
        """Return the party that a title before the name, or an apposition after it, tells."""
        before = self.text[max(0, start - 90) : start]
        before = SEPARATOR.split(before)[-1]
        low = bisect_left(self.starts, start - len(before))
        inside = [m for m in self.mentions[low : low + 6] if m.start < start]
        titled = re.search(TITLE_WORDS, before + " ")
        if inside and (titled or re.fullmatch(r"['’]s?\s*", self.text[inside[-1].end : start])):
            return inside[-1].party
        office = self.side_of_office(before) if titled else ""
        if office:
            return office
        after = re.match(r",[^.;:“”\"\n]{3,110}", self.text[end : end + 115])
        if after and re.search(TITLE_WORDS, after.group()):
            low = bisect_left(self.starts, end)
            for mention in self.mentions[low : low + 3]:
                if mention.start < end + after.end():
                    return mention.party
            return self.side_of_office(after.group())
        return ""

    def side_of_office(self, words: str) -> str:
        """Return the party whose office a title names, where the talks leave no doubt."""
        for row in read_rows("titles.csv"):
            if re.search(rf"\b{row['title']}\b", words, re.IGNORECASE):
                fitting = [each for each in split_list(row["parties"]) if each in self.talks]
                if fitting:
                    return fitting[0]
        return ""

    def named(self, name: str) -> str:
        """Return the fullest form of a name."""
        surname = name.split()[-1]
        return self.full.get(surname, name)

    def side(self, name: str) -> str:
        """Return the party that the document gives a person most often."""
        sides = self.sides.get(name.split()[-1])
        return sides.most_common(1)[0][0] if sides else ""


TITLE_WORDS = (
    r"(?i)\b(ministers?|secretary|president|premier|chancellor|commissioner|ambassador|representative"
    r"|envoy|negotiators?|spokes(?:man|woman|person)|officials?|delegates?|leader|head|chief|pm|mp"
    r"|senator|congressman|governor|director|undersecretary|chair(?:man|woman)?|deputy|delegation"
    r"|counterpart|speaker|adviser|advisor|diplomat)\b"
)


SEPARATOR = re.compile(
    r"[.;:!?\n”“\"]\s|,\s(?!and)|\b(?:said|told|with|and|to|that|by|as|after|from|when)\s"
)


def blank_mentions(text: str, mentions: Sequence[Mention]) -> str:
    """Return a text of the same length in which the names of parties are no names of persons."""
    parts, last = [], 0
    for each in mentions:
        parts += [text[last : each.start], "@" * (each.end - each.start)]
        last = each.end
    return "".join([*parts, text[last:]])


def is_place(word: str) -> bool:
    """Return whether a word names a party."""
    return re.sub(r"['’]s\Z", "", word) in lexicon()[1]


def find_sources(
    text: str, sentences: Sequence[Sentence], mentions: list[Mention], talks: Sequence[str]
) -> list[Source]:
    """Return the source of each sentence: of the outermost attribution, or nobody."""
    people = People(text, mentions, talks)
    sources: list[Source] = []
    last = Source()
    last_paragraph = -9
    for each in sentences:
        found, is_said = attributed(each, people, last, talks)
        continues = each.is_quoted or re.match(r"[\"“‘']", each.text)
        if not is_said and continues and each.paragraph - last_paragraph <= 1:
            found = last
        sources.append(found)
        if is_said or (continues and found == last):
            last_paragraph = each.paragraph
        if is_said:
            last = found
            # A quotation that this sentence ends may have begun some sentences before it.
            back = len(sources) - 1
            while (
                back
                and sentences[back].is_quoted
                and sentences[back - 1].paragraph == each.paragraph
            ):
                back -= 1
                sources[back] = found
    return sources


def attributed(
    sentence: Sentence, people: People, last: Source, talks: Sequence[str]
) -> tuple[Source, bool]:
    """Return the source that a sentence itself names, and whether it names one at all."""
    dateline = DATELINE.match(sentence.text)
    start = sentence.start + (dateline.end() if dateline else 0)
    whole = people.blank[start : sentence.end]
    bare = without_quotations(whole)
    candidates: list[tuple[int, Source]] = []
    for found in SAYS.finditer(bare):
        name = people.person(found.group(1))
        if name:
            candidates.append((found.start(1), named_source(name, people, bare)))
            break
    for pattern in (SAID_BY, ACCORDING, INTRODUCED):
        place = pattern.search(whole if pattern is INTRODUCED else bare)
        name = people.person(place.group(2)) if place else ""
        if name:
            candidates.append((-1, named_source(name, people, bare)))
    pronoun = PRONOUN.search(bare)
    if pronoun and last.speaker:
        candidates.append((pronoun.start(), last))
    elif POSSESSIVE.search(bare) and last.speaker:
        candidates.append((0, last))
    if sentence.kind == "title" and not candidates:
        person = headline_subject(sentence.text, people)
        if person:
            candidates.append((0, person))
    unnamed = UNNAMED.search(bare)
    if unnamed:
        side = side_of_phrase(
            unnamed.group(), start + unnamed.start(), start + unnamed.end(2), people
        )
        candidates.append((unnamed.start(2), Source("", side)))
    subject = party_subject(bare, start, people)
    if subject and not candidates:
        candidates.append((0, Source("", subject)))
    if not candidates:
        return Source(), False
    return min(candidates, key=lambda each: each[0])[1], True


def without_quotations(text: str) -> str:
    """Return a text of the same length without what it quotes; a quotation that is all of it stays.

    >>> without_quotations("“No deal,” Meyer said.")
    '“        ” Meyer said.'
    """

    def hollow(found: re.Match[str]) -> str:
        return found.group()[0] + " " * (len(found.group()) - 2) + found.group()[-1]

    bare = QUOTED_PARTS.sub(hollow, text)
    if sum(letter.isalpha() for letter in bare) >= 6:
        return bare
    inner = re.sub(r"[“”\"]", " ", text)
    return QUOTED_PARTS.sub(hollow, inner)


def headline_subject(title: str, people: People) -> Source | None:
    """Return the person who opens a headline, as in 'Meyer sees no deal'."""
    for word in re.findall(r"[A-Za-zÀ-ÿ'’-]+", title)[:5]:
        bare = re.sub(r"['’]s\Z", "", word, flags=re.IGNORECASE)
        for surname, name in people.full.items():
            if surname.lower() == bare.lower() and people.side(name):
                return Source(name, people.side(name))
    return None


def named_source(name: str, people: People, phrase: str) -> Source:
    """Return a named person with the side that the document or the phrase tells."""
    side = people.side(name)
    if not side:
        position = phrase.find(name.split()[-1])
        near = phrase[max(0, position - 100) : position + 120]
        side = next((role for role, words in ROLES if words.search(near)), "")
    return Source(people.named(name), side)


def side_of_phrase(phrase: str, start: int, end: int, people: People) -> str:
    """Return the side of an unnamed source: the party in the phrase, or its role."""
    low = bisect_left(people.starts, start)
    inside = [m.party for m in people.mentions[low : low + 6] if m.start < end]
    role = next((role for role, words in ROLES if words.search(phrase)), "")
    if role:
        return role
    if inside:
        return ";".join(sorted(set(inside[-2:])))
    plain = phrase.lower()
    members = [each for each in people.talks if " " in each and each.split()[-1] in plain]
    if members or not re.search(r"\b(both|two) sides\b", plain):
        return ";".join(members[:1])
    return ";".join(sorted(people.talks))


def party_subject(bare: str, start: int, people: People) -> str:
    """Return the party that is itself the subject of a verb of saying, as in 'Tokyo said'."""
    low = bisect_left(people.starts, start)
    for mention in people.mentions[low : low + 8]:
        after = bare[mention.end - start : mention.end - start + 40] if mention.end >= start else ""
        if re.match(rf"(?:['’]s)? (?:{ADVERBS}){{0,2}}{VERBS}\b", after):
            return mention.party
    return ""
