"""Second stage, beside the cues: who says a sentence, and for which side.

The speaker is the named person of the outermost attribution, as fully as the document ever names
them; he, she and a quotation that goes on are carried back to the name. The party is the side of
the source, which a title, a nationality or a capital tells, also where no person is named.

    quotations     what a paragraph quotes
    people         the persons of a document, their offices and sides
    attributions   who says something in one sentence
    speakers       the sentences in order: what each carries over from those before
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from tradegap.coding.attributions import Attribution, find_attributions, read_phrase, subject_of
from tradegap.coding.parties import DATELINE, Mention
from tradegap.coding.people import NAME, NAMES, TITLE, People, Source, role_of
from tradegap.coding.quotations import is_wholly_quoted, without_quotations
from tradegap.coding.sentences import Sentence

__all__ = ["Source", "find_sources"]

LABEL = re.compile(r"^[\W_]{0,4}([^“”\":.;!?]{2,140}): ?[“\"‘']")
SPOKESMEN = frozenset(("spokesman", "spokeswoman", "spokesperson"))
SPOKEN = re.compile(r"\b(?:said|says|told|according to|reported)\b")
ENDS_HEADLINE = re.compile(r"(?:: | [-–—] )([^:–—]{3,60})\W{0,3}\Z")
BEGINS_HEADLINE = re.compile(r"^\W{0,2}([^:]{3,50}): ")
FACT_SHEET = re.compile(r"\b(?:fact sheet|what they are saying)\b", re.IGNORECASE)
JOINT_TEXT = re.compile(
    r"\bjoint (?:press )?(?:statement|declaration|communique|communiqué|announcement)\b"
    r"|\b(?:general terms|terms of reference) for\b|\b(?:agreement|framework) on (?:an? )?\w+ trade\b",
    re.IGNORECASE,
)
RELEASE = re.compile(r"\b(?:for immediate release|press release|media release)\b", re.IGNORECASE)
LABEL_TITLE = re.compile(
    TITLE.pattern + r"|\b(?:CEO|COO|CFO|[ESA]?VP|Vice|Chair|Executive|Fellow)\b", re.IGNORECASE
)
CHARGE = (
    r"(?:accus(?:es?|ed|ing)|warn(?:s|ed|ing)?|urg(?:es?|ed|ing)|threaten(?:s|ed|ing)?|blam(?:es?|ed)"
    r"|(?:lash|hit|lashes|lashed|hits) out at|criticis(?:es?|ed)|criticiz(?:es?|ed)|attack(?:s|ed))"
)
CHARGES = re.compile(
    rf"\b{CHARGE} (?:the )?(@+)(?= (?:of|that|it|over|not|to|for|against)\b|[.,]|\Z)"
)
CHARGED = re.compile(
    rf"(@+)(?: (?:has|have|had|today|also|yesterday|last night))* (?:{CHARGE}|told|gives?|given|gave)"
    rf" ({NAME})"
)
COUNTERPART = re.compile(r"\b(?:his|her) (@+) counterpart")
# How many paragraphs a quotation may be carried over: captions and links stand between.
CARRIED = 2


class State:
    """What the sentences before tell: the last source quoted, and whom pronouns stand for."""

    def __init__(self, people: People) -> None:
        """Begin a document, of which nothing is read yet."""
        self.people = people
        self.last = Source()
        self.paragraph = -9
        self.singular: list[Source] = []
        self.number = 0
        self.taken = -9
        self.plural = Source()
        self.group = Source()

    def office(self, words: str, side: str, start: int) -> str:
        """Return the name of the person that an office without a name stands for."""
        heads = {each.lower() for each in TITLE.findall(words)} - {"deputy"}
        if heads & SPOKESMEN:
            return ""
        is_former = bool(re.search(r"\b(?:former|ex)\b", words, re.IGNORECASE))
        for source in self.singular[-3:][::-1]:
            person = self.people.known(source.speaker) if source.speaker else None
            if person and person.offices & heads:
                theirs = self.people.side(person.name)
                if not side or not theirs or theirs == side:
                    return person.name
        # "Meyer met the press. The minister said …": the office tells the side of the last person.
        if self.singular and self.number - self.taken <= 2 and self.singular[-1].speaker:
            person = self.people.known(self.singular[-1].speaker)
            theirs = self.people.side(person.name) if person else ""
            if (
                person
                and side
                and (not theirs or theirs == side or (is_former and not person.offices))
            ):
                person.sides[side] += 2
                self.people.give(person, heads)
                return person.name
        best = ""
        for person in self.people.with_office(heads) if side else ():
            if self.people.side(person.name) == side:
                if best:
                    return ""
                best = person.name
        return best

    def group_of(self, is_plural: bool) -> Source:
        """Return the unnamed source that "the officials" or "one" refers back to."""
        return (
            Source("", self.plural.party or self.group.party)
            if self.plural.party
            else Source("", "")
        )

    def resolve(self, each: Attribution) -> Source:
        """Return the source of an attribution, with a pronoun carried back."""
        if each.kind == "they":
            return self.plural
        if each.kind == "it":
            return self.group
        if each.kind in ("he", "she"):
            for source in self.singular[-4:][::-1]:
                person = self.people.known(source.speaker) if source.speaker else None
                if (
                    person
                    and person.is_female is not None
                    and person.is_female != (each.kind == "she")
                ):
                    continue
                return source
            return Source()
        return each.source

    def take(self, source: Source, kind: str, *, is_plural: bool) -> None:
        """Remember a source for what refers back to it."""
        if kind in ("name", "office", "he", "she") or (kind == "role" and not is_plural):
            self.singular.append(source)
            self.taken = self.number
        if kind == "role" and is_plural:
            self.plural = source
        if kind == "party":
            self.group = self.plural = source
        if kind == "role" and source.party:
            self.group = source


def find_sources(
    text: str, sentences: Sequence[Sentence], mentions: list[Mention], talks: Sequence[str]
) -> list[Source]:
    """Return the source of each sentence: of the outermost attribution, or nobody."""
    headlines = [
        (each.start, each.end)
        for each in sentences
        if each.kind == "title" or is_headline(each.text)
    ]
    place = party_of_dateline(sentences, mentions, talks)
    people = People(text, mentions, talks, headlines, place)
    bare = bare_sentences(people, sentences)
    # The first reading tells the sides of persons, which the second one then knows from the start.
    read_sources(people, sentences, bare)
    oppose(people, sentences, bare)
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
    before: Attribution | None = None
    for number, each in enumerate(sentences):
        words, start = bare[number]
        state.number = number
        labelling = (
            LABEL.match(people.blank[each.start : each.end]) if each.kind != "title" else None
        )
        named = source_of_label(labelling, each, people) if labelling else None
        if named:
            label, labelled = named, each.paragraph
        if label and labelled == each.paragraph:
            sources.append(label)
            state.last, state.paragraph = label, each.paragraph
            continue
        if author:
            sources.append(author)
            continue
        found = outermost(words, start, each, people, state)
        quoted = sum(letter.isalpha() for letter in words) < 6 or words.lstrip(" -").startswith("“")
        if found:
            source = state.resolve(found)
            near = words[max(0, found.place - 70) : found.place + 70]
            if found.kind == "role" and not source.party and is_official(near):
                source = Source("", people.place or state.plural.party)
            if (
                found.kind == "role"
                and not found.is_plural
                and (number <= 1 or each.kind == "title")
            ):
                unnamed.append(number)
            person = people.known(source.speaker) if found.kind == "name" else None
            introduced = number <= 3 and person and start <= person.first_at < each.end
            if introduced and person and before and before.kind == "role" and not before.is_plural:
                # "A Peruvian official said … Ana Diaz, secretary for trade, said …"
                if before.source.party and max(person.sides.values(), default=0) < 3:
                    person.sides[before.source.party] += 2
            state.take(source, found.kind, is_plural=found.is_plural)
            state.last, state.paragraph = source, each.paragraph
            carry_back(sources, sentences, bare, number, source)
            before = found
        elif quoted and each.kind != "title" and each.paragraph - state.paragraph <= CARRIED:
            source = state.last
            state.paragraph = each.paragraph
        else:
            source = Source()
            subject = subject_of(words, start, people, state, each.kind == "title")
            if subject and subject[1] == "name":
                state.take(subject[0], "name", is_plural=False)
        sources.append(source)
    for number in unnamed:
        # What the lead leaves unnamed, "the EU's negotiator", the sentences after it name.
        words = bare[number][0]
        if re.match(
            r"\W*(?:an?|one|some)\b|.*\b(?:spokes\w+|official|source|delegate|diplomat)s?\b",
            words,
            re.I,
        ):
            continue
        later = [each for each in sources[number + 1 : number + 4] if each.speaker]
        if later and (later[0].party == sources[number].party or not sources[number].party):
            sources[number] = later[0]
    return sources


def oppose(people: People, sentences: Sequence[Sentence], bare: Sequence[tuple[str, int]]) -> None:
    """Give persons without a side one of two: not the one that they accuse, or that accuses them."""
    if len(people.talks) != 2:
        return
    other = {people.talks[0]: people.talks[1], people.talks[1]: people.talks[0]}
    votes: dict[str, Counter[str]] = {}
    for words, start in bare:
        for pattern, is_by in ((CHARGES, True), (COUNTERPART, True), (CHARGED, False)):
            for found in pattern.finditer(words):
                inside = people.parties_between(start + found.start(1), start + found.end(1))
                if not inside or inside[0].party not in other:
                    continue
                if is_by:
                    runs = NAMES.findall(words[max(0, found.start() - 80) : found.start()])
                    run = runs[-1] if runs else ""
                else:
                    run = found.group(2)
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
    cuttings = sum(
        is_wholly_quoted(people.text[start:end])
        and bool(SPOKEN.search(without_quotations(people.text[start:end], outer_is_none=True)))
        for _, start, end in paragraphs
    )
    result = []
    for inside, start, end in paragraphs:
        is_cutting = cuttings >= 3 and is_wholly_quoted(people.text[start:end])
        whole = without_quotations(people.text[start:end], outer_is_none=is_cutting)
        blank = people.blank[start:end]
        # A mark is one letter, and a party's name has none, so that the two lie on one another.
        bare = "".join(a if a in " “”" else b for a, b in zip(whole, blank, strict=True))
        if is_cutting:
            bare = re.sub(r"[“”\"]", " ", bare)
        for each in inside:
            words = bare[each.start - start : each.end - start]
            dateline = DATELINE.match(each.text)
            cut = dateline.end() if dateline else 0
            result.append((words[cut:], each.start + cut))
    return result


def outermost(
    words: str, start: int, sentence: Sentence, people: People, state: State
) -> Attribution | None:
    """Return the outermost attribution of a sentence, or nothing."""
    is_title = sentence.kind == "title" or is_headline(words)
    if is_title and words.isupper():
        lowered = words.title()
        words = lowered if len(lowered) == len(words) else words
    found = list(find_attributions(words, start, people, state, is_title=is_title))
    if is_title:
        ends = ENDS_HEADLINE.search(words)
        begins = BEGINS_HEADLINE.match(words)
        for part in (ends, begins):
            if part:
                phrase = part.group(1).strip()
                got = read_phrase(phrase, start + part.start(1), people, state, True)
                if got and got[1] != "party":
                    return Attribution(0, got[0], got[1], False, got[2])
    last = [each for each in found if each.is_last and not each.is_embedded]
    if last:
        return last[-1]
    free = [each for each in found if not each.is_embedded]
    return free[0] if free else None


def is_headline(words: str) -> bool:
    """Return whether most words of a line are capitalised, and it ends like no sentence."""
    long = [each for each in re.findall(r"[A-Za-z]+", words[:200]) if len(each) > 3]
    if len(long) < 4 or words.rstrip(" ”’'").endswith((".", "!")):
        return False
    return sum(each[0].isupper() for each in long) / len(long) > 0.7


def is_official(words: str) -> bool:
    """Return whether an unnamed source is one of a government."""
    return bool(
        re.search(r"(?i)\b(?:officials?|government|ministry|ministers?|spokes\w+)\b", words)
    )


def carry_back(
    sources: list[Source],
    sentences: Sequence[Sentence],
    bare: Sequence[tuple[str, int]],
    number: int,
    source: Source,
) -> None:
    """Give a quotation that this sentence ends to its source, from where it began."""
    words = bare[number][0]
    if words.lstrip(" -")[:1] not in ("“", "”") and words[:1] != " ":
        return
    back = number - 1
    while back >= 0 and sentences[back].paragraph == sentences[number].paragraph:
        before = bare[back][0]
        if sum(letter.isalpha() for letter in before) >= 6:
            return
        sources[back] = source
        back -= 1


def source_of_label(found: re.Match[str], sentence: Sentence, people: People) -> Source | None:
    """Return the source that a label names, as in 'Meat Board President Ana Rojas: “…'."""
    label = people.text[sentence.start + found.start(1) : sentence.start + found.end(1)]
    if re.search(
        r"\b(?:said|says|added|told|adding|saying|wrote|warned|that|he|she|it|they)\b", label
    ):
        return None
    start = sentence.start + found.start(1)
    inside = people.parties_between(start, start + len(label))
    titles = list(LABEL_TITLE.finditer(label))
    titled = bool(titles)
    tail = label[titles[-1].end() :].strip(" ,.") if titles else label
    name = (
        tail
        if re.fullmatch(NAME, tail) and (1 < len(tail.split()) <= 4 or people.known(tail))
        else ""
    )
    if name and not titled:
        known, _ = people.person(name)
        if known != name:
            name = ""
        else:
            return Source(people.named(name), people.side(name))
    if name:
        name = people.named(name) if people.known(name) else name
    elif not titled and not inside and not role_of(label, has_party=False):
        return None
    side = role_of(label, has_party=False) or (
        inside[-1].party if titled and inside else people.side_of_office(label) if titled else ""
    )
    return Source(name, side or "observer")


def party_of_dateline(
    sentences: Sequence[Sentence], mentions: Sequence[Mention], talks: Sequence[str]
) -> str:
    """Return the party where a story was written, if it is one of those talking."""
    for each in sentences[:3]:
        dateline = DATELINE.match(each.text)
        if dateline:
            end = each.start + dateline.end()
            inside = [m.party for m in mentions[:12] if each.start <= m.start < end]
            return inside[0] if inside and inside[0] in talks else ""
    return ""


def author_of(sentences: Sequence[Sentence], people: People) -> Source | None:
    """Return the side that speaks in a whole document: both in a joint statement, else nobody.

    A fact sheet speaks for the government that it names first, or most.
    """
    opening = " ".join(each.text for each in sentences[:3])
    if FACT_SHEET.search(opening):
        named = Counter(each.party for each in people.mentions if each.party in people.talks)
        return Source("", named.most_common(1)[0][0]) if named else None
    if any(JOINT_TEXT.search(each.text[:120]) for each in sentences[:1]) or any(
        JOINT_TEXT.match(each.text.lstrip("# *")) for each in sentences[:3]
    ):
        return Source("", ";".join(sorted(people.talks)))
    return None
