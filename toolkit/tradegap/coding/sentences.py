"""Second stage, first step: a document's blocks in, sentences with exact offsets out.

A sentence is the unit of coding. Captions and boilerplate are left out; a title, a line of a list
and an abbreviation such as "U.S." are not mistaken for something else. Every step is one pass over
the text, so that a megabyte without a full stop takes no longer than any other megabyte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

__all__ = ["LONGEST_SENTENCE", "Sentence", "find_overlong", "split_sentences"]

CODED_KINDS = frozenset({"title", "text", "list"})
# What runs on for longer than this without an end is a table or a dump, not a sentence.
LONGEST_SENTENCE = 4000
# Lines longer than this are paragraphs; shorter ones may be one paragraph wrapped by hand.
WRAPPED_LINE = 100

# A run of stops is looked at once, from its start, so that a million of them take no longer.
STOP = re.compile(r"""(?<![.!?…])[.!?…]++["'”’)\]]{0,3}(?=\s)""")
NEXT = re.compile(r"""\s+(?:[-–•*]\s)?["'“‘(\[]{0,3}[A-Z0-9À-ÖØ-Þ$€£•–-]""")
LAST_WORD = re.compile(r"[\w.&]{1,24}\Z")
ABBREVIATIONS = frozenset(
    re.findall(
        r"\w+",
        "mr mrs ms dr prof sen rep gov gen lt col st jr sr no nos vs inc corp co ltd bros "
        "dept jan feb mar apr jun jul aug sept sep oct nov dec approx est fig vol art sec",
    )
)
# After an abbreviation such as "U.S." only these words start a new sentence.
STARTERS = re.compile(
    r"\s+[\"'“‘]?(?:The|He|She|They|We|It|But|This|That|These|There|However|Asked|Both|If|I)\b"
)
BULLET = re.compile(r"\s*(?:[-–•*·]|\(?[a-z0-9]{1,2}[.)])\s")


class Span(Protocol):
    """The part of documents.Block that this module reads."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True)
class Sentence:
    """One sentence: where it stands, what it says, and in what kind of block."""

    start: int
    end: int
    text: str
    kind: str  # title, text or list
    paragraph: int  # number of its paragraph, from 0
    is_quoted: bool  # starts inside a quotation that an earlier sentence opened


def split_sentences(text: str, blocks: tuple[Span, ...]) -> list[Sentence]:
    """Return the sentences of the coded blocks, in order; `sentence.text == text[start:end]`.

    >>> from types import SimpleNamespace as Block
    >>> words = "Talks with the U.S. Trade team ended. No date was set."
    >>> [s.text for s in split_sentences(words, (Block(start=0, end=len(words), kind="text"),))]
    ['Talks with the U.S. Trade team ended.', 'No date was set.']
    """
    sentences: list[Sentence] = []
    paragraph = -1
    for block in blocks:
        if block.kind not in CODED_KINDS:
            continue
        for start, end in paragraphs(text, block):
            paragraph += 1
            opened = closed = 0
            for first, last in cut(text, start, end):
                words = text[first:last]
                if last - first <= LONGEST_SENTENCE:
                    sentence = Sentence(first, last, words, block.kind, paragraph, opened > closed)
                    sentences.append(sentence)
                opened += words.count("“") + words.count('"') % 2 * (opened <= closed)
                closed += words.count("”") + words.count('"') % 2 * (opened > closed)
    return sentences


def find_overlong(text: str, blocks: tuple[Span, ...]) -> list[tuple[int, int]]:
    """Return where something runs on for longer than a sentence, which is not coded.

    >>> from types import SimpleNamespace as Block
    >>> table = "1 tonne " * 1000
    >>> find_overlong(table, (Block(start=0, end=len(table), kind="text"),))
    [(0, 7999)]
    """
    return [
        (first, last)
        for block in blocks
        if block.kind in CODED_KINDS and block.end - block.start > LONGEST_SENTENCE
        for start, end in paragraphs(text, block)
        for first, last in cut(text, start, end)
        if last - first > LONGEST_SENTENCE
    ]


def paragraphs(text: str, block: Span) -> Iterator[tuple[int, int]]:
    """Yield the paragraphs of a block: its lines, unless they are one text wrapped by hand."""
    lines, start = [], block.start
    for part in text[block.start : block.end].split("\n"):
        lines.append((start, start + len(part)))
        start += len(part) + 1
    wrapped = block.kind == "text" and all(end - first <= WRAPPED_LINE for first, end in lines)
    held: tuple[int, int] | None = None
    for first, end in lines:
        line = text[first:end]
        if not line.strip():
            continue
        if held and wrapped and not BULLET.match(line) and text[held[1] - 1] not in ":":
            held = (held[0], end)
            continue
        if held:
            yield held
        held = (first, end)
    if held:
        yield held


def cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the trimmed spans of the sentences of one paragraph."""
    first = start
    for stop in STOP.finditer(text, start, end):
        if not ends_here(text, stop, end):
            continue
        yield from trimmed(text, first, stop.end())
        first = stop.end()
    yield from trimmed(text, first, end)


def ends_here(text: str, stop: re.Match[str], end: int) -> bool:
    """Return whether a full stop ends its sentence."""
    if not NEXT.match(text, stop.end(), end):
        return False
    if stop.group()[0] != "." or len(stop.group()) > 1:
        return True
    word = LAST_WORD.search(text, max(0, stop.start() - 24), stop.start())
    last = word.group() if word else ""
    if last.lower() in ABBREVIATIONS:
        return False
    if "." in last or (len(last) == 1 and last.isupper()):
        return bool(STARTERS.match(text, stop.end(), end))
    return True


def trimmed(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the span without the blanks around it, if any word is left."""
    words = text[first:last]
    first += len(words) - len(words.lstrip())
    words = words.strip()
    if any(letter.isalpha() for letter in words):
        yield first, first + len(words)
