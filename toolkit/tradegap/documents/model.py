"""First stage, its nouns: a document and the blocks of its text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["Block", "Document"]


@dataclass(frozen=True)
class Block:
    """One paragraph of a document's text: where it is and what kind of text it is.

    >>> Block(0, 20, "boilerplate").kind
    'boilerplate'
    """

    start: int
    end: int
    kind: str  # title, text, list, caption or boilerplate


@dataclass(frozen=True)
class Document:
    """One dated text with a publisher; offsets of blocks and signals point into `text`.

    >>> note = Document("n.txt", "00", "Talks went on.", date(2019, 8, 21), "option")
    >>> note.title, note.is_private
    ('', False)
    """

    name: str
    sha256: str
    text: str
    published: date
    dated_by: str  # front matter, HTML metadata, file name, option or record
    title: str = ""
    publisher: str = ""
    source_url: str = ""
    confidence: str = ""
    is_private: bool = False
    blocks: tuple[Block, ...] = ()
