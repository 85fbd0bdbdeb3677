"""Second stage, beside the speakers: what tells who speaks outside of any sentence.

A label before a quotation ("Meat Board President Ana Rojas: “…”), the dateline of a story, and the
kind of document: a joint statement speaks for both sides, a fact sheet for the government that
issues it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tradegap.coding.parties import DATELINE, Mention
from tradegap.coding.people import NAME, TITLE, People, Source, role_of
from tradegap.coding.sentences import Sentence

__all__ = ["author_of", "label_of", "party_of_dateline"]

LABEL = re.compile(r"[\W_]{0,4}([^“”\":.;!?]{2,140}): ?[“\"‘']")
LABEL_TITLE = re.compile(
    TITLE.pattern + r"|\b(?:CEO|COO|CFO|[ESA]?VP|Vice|Chair|Executive|Fellow)\b", re.IGNORECASE
)
SENTENCE_VERB = re.compile(
    r"\b(?:said|says|added|told|adding|saying|wrote|warned|that|he|she|it|they)\b"
)
FACT_SHEET = re.compile(r"\b(?:fact sheet|what they are saying)\b", re.IGNORECASE)
JOINT_TEXT = re.compile(
    r"\bjoint (?:press )?(?:statement|declaration|communiqu[eé]|announcement)\b"
    r"|\b(?:general terms|terms of reference) for\b"
    r"|\b(?:agreement|framework) on (?:an? )?\w+ trade\b",
    re.IGNORECASE,
)


def label_of(sentence: Sentence, people: People) -> Source | None:
    """Return the source that a label before a quotation names, if there is one."""
    if sentence.kind == "title" or ":" not in sentence.text:
        return None
    found = LABEL.match(people.blank[sentence.start : sentence.end])
    if not found:
        return None
    start = sentence.start + found.start(1)
    label = people.text[start : sentence.start + found.end(1)]
    if SENTENCE_VERB.search(label):
        return None
    inside = people.parties_between(start, start + len(label))
    titles = list(LABEL_TITLE.finditer(label))
    tail = label[titles[-1].end() :].strip(" ,.") if titles else label
    name = tail if re.fullmatch(NAME, tail) else ""
    if name and len(name.split()) != 1 and not titles:
        if people.person(name)[0] == name:
            return Source(people.named(name), people.side(name))
        name = ""
    if name and (len(name.split()) > 4 or (len(name.split()) == 1 and not people.known(name))):
        name = ""
    role = role_of(label, has_party=False)
    if not name and not titles and not inside and not role:
        return None
    office = people.side_of_office(label, is_first=True) if titles else ""
    side = role or (inside[-1].party if titles and inside else office)
    return Source(people.named(name) if name else "", side or "observer")


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
    begins = any(JOINT_TEXT.match(each.text.lstrip("# *")) for each in sentences[:3])
    if begins or any(JOINT_TEXT.search(each.text[:120]) for each in sentences[:1]):
        return Source("", ";".join(sorted(people.talks)))
    return None
