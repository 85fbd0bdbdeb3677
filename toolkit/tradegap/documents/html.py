"""First stage: a saved web page in, its paragraphs and stated facts out. Nothing in it is run."""

from __future__ import annotations

from tradegap.documents.model import Block
from tradegap.errors import DocumentError

__all__ = ["read_html"]


def read_html(raw: bytes) -> tuple[str, tuple[Block, ...], dict[str, str]]:
    """Return the text, blocks and stated facts of a page."""
    raise DocumentError("HTML is not read yet")
