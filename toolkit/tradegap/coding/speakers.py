"""Second stage, beside the cues: who says a sentence, and for which side.

The speaker is the named person of the outermost attribution, as fully as the document ever names
them; he, she and a quotation that goes on are carried back to the name. The party is the side of
the source, which a title, a nationality or a capital tells, also where no person is named.

    quotations     what a paragraph quotes
    people         the persons of a document, their offices and sides
    phrases        what one noun phrase names: a person, an office, a side
    attributions   who says something in one sentence
    labels         what tells it outside of any sentence: a label, a dateline, a joint statement
    speakers       the sentences in order: what each carries over from those before
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, islice

from tradegap.coding.attributions import Attribution, find_attributions
from tradegap.coding.labels import author_of, label_of, party_of_dateline
from tradegap.coding.parties import DATELINE, Mention
from tradegap.coding.people import NAME, NAMES, TITLE, People, Source
from tradegap.coding.phrases import Reader, Reading
from tradegap.coding.quotations import is_wholly_quoted, without_quotations
from tradegap.coding.sentences import Sentence

__all__ = ["Source", "find_sources"]

SPOKESMEN = frozenset(("spokesman", "spokeswoman", "spokesperson"))
SPOKEN = re.compile(r"\b(?:said|says|told|according to|reported)\b")
OFFICIAL = re.compile(r"\b(?:officials?|government|ministry|ministers?|spokes\w+)\b", re.IGNORECASE)
FORMER = re.compile(r"\b(?:former|ex)\b", re.IGNORECASE)
# "Meyer: no deal yet", "No deal yet - minister"
HEADLINE_LABELS = (
    re.compile(r"(?:: | [-–—] )([^:–—]{3,60})\W{0,3}\Z"),
    re.compile(r"\W{0,2}([^:]{3,50}): "),
)
# Who is unnamed on purpose is not named by the sentences that follow.
STAYS_UNNAMED = re.compile(
    r"\W*(?:an?|one|some)\b|.*\b(?:spokes\w+|official|source|delegate|diplomat)s?\b", re.IGNORECASE
)
CHARGE = (
    r"(?:accus(?:es?|ed|ing)|warn(?:s|ed|ing)?|urg(?:es?|ed|ing)|threaten(?:s|ed|ing)?"
    r"|blam(?:es?|ed)|(?:lash|hit|lashes|lashed|hits) out at|critici[sz](?:es?|ed)|attack(?:s|ed))"
)
CHARGES = re.compile(
    rf"\b{CHARGE} (?:the )?(@+)(?= (?:of|that|it|over|not|to|for|against)\b|[.,]|\Z)"
)
CHARGED = re.compile(
    r"(@+)(?: (?:has|have|had|today|also|yesterday|last night))*"
    rf" (?:{CHARGE}|told|gives?|given|gave) ({NAME})"
)
COUNTERPART = re.compile(r"\b(?:his|her) (@+) counterpart")
# How many paragraphs a quotation may be carried over: captions and links stand between.
CARRIED = 2


class State:
    """What the sentences before tell: the last source quoted, and whom pronouns stand for."""

    def __init__(self, people: People) -> None:
        """Begin a document, of which nothing is read yet."""
        self.people = people
        self.number = 0  # of the sentence that is read
        self.quoted = Source()
        self.paragraph = -9  # where the last quotation was
        self.persons: list[Source] = []
        self.person_at = -9  # the sentence of the last of them
        self.they = Source()
        self.it = Source()

    def office(self, words: str, side: str) -> str:
        """Return the name of the person that an office without a name stands for."""
        heads = {each.lower() for each in TITLE.findall(words)} - {"deputy"}
        if heads & SPOKESMEN:
            return ""
        people = self.people
        for source in self.persons[-3:][::-1]:
            person = people.known(source.speaker) if source.speaker else None
            fits = person and (not side or people.side(person.name) in ("", side))
            if person and fits and person.offices & heads:
                return person.name
        # "Meyer met the press. The minister said …": the office tells the side of the last person.
        last = self.persons[-1].speaker if self.persons else ""
        person = people.known(last) if last and self.number - self.person_at <= 2 else None
        if person and side:
            is_former = bool(FORMER.search(words)) and not person.offices
            if people.side(person.name) in ("", side) or is_former:
                person.sides[side] += 2
                people.give(person, heads)
                return person.name
        holders = people.with_office(heads) if side else []
        fitting = [each.name for each in holders if people.side(each.name) == side]
        return fitting[0] if len(fitting) == 1 else ""

    def group(self) -> Source:
        """Return the unnamed source that "the officials" or "one" refers back to."""
        return Source("", self.they.party)

    def resolve(self, reading: Reading) -> Source:
        """Return the source of a reading, with a pronoun carried back."""
        if reading.kind == "they":
            return self.they
        if reading.kind == "it":
            return self.it
        if reading.kind not in ("he", "she"):
            return reading.source
        is_she = reading.kind == "she"
        for source in self.persons[-4:][::-1]:
            person = self.people.known(source.speaker) if source.speaker else None
            if person is None or person.is_female in (None, is_she):
                return source
        return Source()

    def take(self, source: Source, reading: Reading) -> None:
        """Remember a source for what refers back to it."""
        is_group = reading.kind == "role" and reading.is_plural
        if reading.kind in ("name", "office", "he", "she", "role") and not is_group:
            self.persons.append(source)
            self.person_at = self.number
        if is_group or reading.kind == "party":
            self.they = source
        if reading.kind == "party" or (reading.kind == "role" and source.party):
            self.it = source


def find_sources(
    text: str, sentences: Sequence[Sentence], mentions: list[Mention], talks: Sequence[str]
) -> list[Source]:
    """Return the source of each sentence: of the outermost attribution, or nobody."""
    headlines = [(each.start, each.end) for each in sentences if is_headline(each, each.text)]
    place = party_of_dateline(sentences, mentions, talks)
    people = People(text, mentions, talks, headlines=headlines, place=place)
    bare = bare_sentences(people, sentences)
    # The first reading tells the sides of persons, which the second one then knows from the start.
    read_sources(people, sentences, bare)
    oppose(people, bare)
    return read_sources(people, sentences, bare)


def read_sources(
    people: People, sentences: Sequence[Sentence], bare: Sequence[tuple[str, int]]
) -> list[Source]:
    """Return the source of each sentence, read in order."""
    author = author_of(sentences, people)
    state = State(people)
    sources: list[Source] = []
    unnamed: list[int] = []
    label: Source | None = None
    labelled = -1
    before: Reading | None = None
    for number, (sentence, (words, start)) in enumerate(zip(sentences, bare, strict=True)):
        state.number = number
        named = label_of(sentence, people)
        if named:
            label, labelled = named, sentence.paragraph
        if label and labelled == sentence.paragraph:
            sources.append(label)
            state.quoted, state.paragraph = label, sentence.paragraph
            continue
        if author:
            sources.append(author)
            continue
        is_title = is_headline(sentence, words)
        reader = Reader(people, state, is_title=is_title)
        found = outermost(words, start, reader)
        if found:
            reading = found.reading
            source = state.resolve(reading)
            near = words[max(0, found.place - 70) : found.place + 70]
            if reading.kind == "role" and not source.party and OFFICIAL.search(near):
                source = Source("", people.place or state.they.party)
            is_single = reading.kind == "role" and not reading.is_plural
            if is_single and (number <= 1 or sentence.kind == "title"):
                unnamed.append(number)
            if reading.kind == "name" and before and number <= 3:
                introduce(people, source, before, start, sentence.end)
            state.take(source, reading)
            state.quoted, state.paragraph = source, sentence.paragraph
            carry_back(sources, sentences, bare, source)
            before = reading
        elif (
            sentence.kind != "title"
            and is_quotation(words)
            and sentence.paragraph - state.paragraph <= CARRIED
        ):
            source = state.quoted
            state.paragraph = sentence.paragraph
        else:
            source = Source()
            subject = reader.subject(words, start)
            if subject and subject.kind == "name":
                state.take(subject.source, subject)
        sources.append(source)
    for number in unnamed:
        name_from_what_follows(sources, number, bare[number][0])
    return sources


def introduce(people: People, source: Source, before: Reading, start: int, end: int) -> None:
    """Give a person whom this sentence introduces the side of the unnamed source before.

    As in "A Peruvian official said … Ana Diaz, secretary for trade, said …".
    """
    person = people.known(source.speaker)
    is_single = before.kind == "role" and not before.is_plural and bool(before.source.party)
    is_new = person is not None and start <= person.first_at < end
    if person and is_single and is_new and max(person.sides.values(), default=0) < 3:
        person.sides[before.source.party] += 2


def name_from_what_follows(sources: list[Source], number: int, words: str) -> None:
    """Name the source of a lead, "the EU's negotiator", as the sentences after it do."""
    if STAYS_UNNAMED.match(words):
        return
    later = next((each for each in sources[number + 1 : number + 4] if each.speaker), None)
    if later and sources[number].party in ("", later.party):
        sources[number] = later


def oppose(people: People, bare: Sequence[tuple[str, int]]) -> None:
    """Give persons without a side one of two: not the one they accuse, or that accuses them."""
    if len(people.talks) != 2:
        return
    other = {people.talks[0]: people.talks[1], people.talks[1]: people.talks[0]}
    votes: dict[str, Counter[str]] = {}
    for words, start in bare:
        for pattern in (CHARGES, COUNTERPART, CHARGED) if "@" in words else ():
            for found in pattern.finditer(words):
                inside = people.parties_between(start + found.start(1), start + found.end(1))
                if not inside or inside[0].party not in other:
                    continue
                runs = NAMES.findall(words[max(0, found.start() - 80) : found.start()])
                run = found.group(2) if pattern is CHARGED else runs[-1] if runs else ""
                name, _ = people.person(run)
                if name:
                    votes.setdefault(people.named(name), Counter())[other[inside[0].party]] += 1
    for name, sides in votes.items():
        person = people.known(name)
        if person and not person.sides:
            person.sides[sides.most_common(1)[0][0]] += 1


def bare_sentences(people: People, sentences: Sequence[Sentence]) -> list[tuple[str, int]]:
    """Return each sentence without what it quotes and without a dateline, and where it starts."""
    paragraphs = []
    for _, group in groupby(sentences, key=lambda each: each.paragraph):
        inside = list(group)
        paragraphs.append((inside, inside[0].start, inside[-1].end))
    # In a digest each cutting stands in quotation marks, and tells who says what inside of them.
    cuttings = sum(
        is_wholly_quoted(people.text[start:end])
        and bool(SPOKEN.search(without_quotations(people.text[start:end], outer_is_none=True)))
        for _, start, end in paragraphs
    )
    result = []
    for inside, start, end in paragraphs:
        text, blank = people.text[start:end], people.blank[start:end]
        is_cutting = cuttings >= 3 and is_wholly_quoted(text)
        whole = without_quotations(text, outer_is_none=is_cutting)
        if whole == text or blank == text:
            bare = blank if whole == text else whole
        else:
            bare = "".join(b if a == t else a for t, a, b in zip(text, whole, blank, strict=True))
        if is_cutting:
            bare = re.sub(r"[“”\"]", " ", bare)
        for each in inside:
            dateline = DATELINE.match(each.text) if each.kind != "title" else None
            cut = dateline.end() if dateline else 0
            result.append((bare[each.start - start + cut : each.end - start], each.start + cut))
    return result


def outermost(words: str, start: int, reader: Reader) -> Attribution | None:
    """Return the outermost attribution of a sentence, or nothing."""
    if reader.is_title:
        if words.isupper() and len(words.title()) == len(words):
            words = words.title()
        for pattern in HEADLINE_LABELS:
            part = pattern.search(words) if pattern is HEADLINE_LABELS[0] else pattern.match(words)
            got = reader.phrase(part.group(1).strip(), start + part.start(1)) if part else None
            if got and got.kind != "party":
                return Attribution(got, 0)
    free = [each for each in find_attributions(words, start, reader) if not each.is_embedded]
    last = [each for each in free if each.is_last]
    found = last[-1] if last else free[0] if free else None
    if found and found.reading.kind == "they" and found is not free[0]:
        # "Traders doubted that …, they said."
        first = free[0].reading
        return replace(found, reading=first) if first.is_plural else found
    return found


def is_headline(sentence: Sentence, words: str) -> bool:
    """Return whether a line is a title, or has a title's capitals and ends like no sentence."""
    if sentence.kind == "title":
        return True
    if words.rstrip(" ”’'").endswith((".", "!")):
        return False
    long = re.findall(r"[A-Za-z]{4,}", words[:200])
    if len(long) < 4:
        return False
    capitals = sum(each[0].isupper() for each in long)
    return bool(capitals > 0.7 * len(long))


def is_quotation(words: str) -> bool:
    """Return whether a sentence is all quotation, or begins with one."""
    return not has_words(words) or words.lstrip(" -").startswith("“")


def has_words(words: str) -> bool:
    """Return whether there is more than what is left of a sentence that is all quotation."""
    return len(list(islice(filter(str.isalpha, words), 6))) == 6


def carry_back(
    sources: list[Source],
    sentences: Sequence[Sentence],
    bare: Sequence[tuple[str, int]],
    source: Source,
) -> None:
    """Give a quotation that the next sentence ends to its source, from where it began."""
    number = len(sources)
    words = bare[number][0]
    if words.lstrip(" -")[:1] not in ("“", "”") and words[:1] != " ":
        return
    for back in range(number - 1, -1, -1):
        is_same = sentences[back].paragraph == sentences[number].paragraph
        if not is_same or has_words(bare[back][0]):
            return
        sources[back] = source
