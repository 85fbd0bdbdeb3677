"""Second stage, beside the speakers: what a paragraph quotes, and the same text without it.

Quotation marks are read a paragraph at a time, double and single, in one pass: an opening mark
looks up the next closing one, so that ten thousand marks take no longer than ten thousand letters.
"""

from __future__ import annotations

import re
from bisect import bisect_right

__all__ = ["is_wholly_quoted", "without_quotations"]

MARK = re.compile(r"[“”„\"‘’'`]")
OPENS_AFTER = ' \t\n([{“”"„:-–—‘'
DOUBLE_OPENS, DOUBLE_CLOSES = '“„"', '”"'
SINGLE_OPENS, SINGLE_CLOSES = "‘'`", "’'"


def without_quotations(text: str, *, outer_is_none: bool = False) -> str:
    """Return a paragraph of the same length in which what it quotes is blank, its marks “ and ”.

    With `outer_is_none`, double marks that enclose all of the paragraph are no quotation.

    >>> without_quotations("“No deal,” Meyer said. ‘It’s over.’")
    '“        ” Meyer said. “          ”'
    """
    doubles, singles = [], []
    for found in MARK.finditer(text):
        at, mark = found.start(), found.group()
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        if mark in DOUBLE_CLOSES:
            doubles.append(at)
        elif mark in SINGLE_CLOSES and not after.isalnum() and before not in " \n\t":
            singles.append(at)
    parts: list[str] = []
    last = 0
    for found in MARK.finditer(text):
        at, mark = found.start(), found.group()
        if at < last:
            continue
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        if mark in DOUBLE_OPENS:
            ends = doubles
        elif mark in SINGLE_OPENS and before in OPENS_AFTER and not after.isspace():
            ends = singles
        else:
            continue
        if outer_is_none and ends is doubles:
            continue
        index = bisect_right(ends, at)
        if index < len(ends):
            end = ends[index]
        elif ends is doubles or at <= 2 or text[max(0, at - 2) : at] == ": ":
            end = len(text)
        else:
            continue
        parts += [text[last:at], "“", " " * (end - at - 1), "”" if end < len(text) else ""]
        last = min(end + 1, len(text))
    return "".join([*parts, text[last:]])


def is_wholly_quoted(text: str) -> bool:
    """Return whether double marks enclose all of a paragraph, as in a digest of cuttings.

    >>> is_wholly_quoted("“The talks failed, Meyer said.”"), is_wholly_quoted("“No,” Meyer said.")
    (True, False)
    """
    words = text.strip(" -•*")
    if not words or words[0] not in DOUBLE_OPENS:
        return False
    close = re.search(r"[”\"]", words[1:])
    return close is None or close.end() >= len(words) - 2
