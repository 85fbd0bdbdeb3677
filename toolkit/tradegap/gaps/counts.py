"""Beside the evidence: how much of the work is left, where a sentence counts it.

"19 of the 26 chapters are closed" and "the text is 95 per cent settled" speak of a level, whatever
direction they were given. Only what is counted as agreed is read, not what was merely offered.
"""

from __future__ import annotations

import math
import re

WORDS = dict(zip(("one", "two", "three", "four", "five", "six"), range(1, 7), strict=True))
WORDS |= dict(zip(("seven", "eight", "nine", "ten", "eleven", "twelve"), range(7, 13), strict=True))
WORDS |= {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40}

NUMBER = rf"\d+(?:\.\d+)?|{'|'.join(WORDS)}"
PERCENT = r"\s?(?:%|per\s?cent)"
IS = r"(?:is|are|was|were|be|been)\s+(?:now\s+|already\s+|still\s+|\w+ly\s+)?"
DONE = r"(?:settled|agreed|closed|completed?|concluded|finished|done)\b"
LEFT = r"(?:open|unresolved|unsettled|outstanding)\b"
OF_IT = r"(?:\s+of\s+[\w' -]{3,60}?)?\s+(?:has\s+|have\s+)?"
COUNTED = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Not "a tariff of 25 per cent is agreed".
        rf"(?<!of )(?<!to )(?<!at )(?<!by )(?<![\w.,])(?P<part>{NUMBER}){PERCENT}{OF_IT}{IS}"
        rf"(?:{DONE}|(?P<left>{LEFT}))",
        rf"\b{IS}(?P<part>{NUMBER}){PERCENT}\s+(?:{DONE}|(?P<left>{LEFT}))",
        rf"(?<![\w.,])(?P<part>{NUMBER})\s+(?:out\s+)?of\s+(?:(?:the|its|about|some|around)\s+)*"
        rf"(?P<whole>{NUMBER})\b(?!{PERCENT})[\w' -]{{0,40}}?\s+(?:has\s+|have\s+)?{IS}"
        rf"(?:{DONE}|(?P<left>{LEFT}))",
    )
]


def count_left(text: str) -> float:
    """Return the share of the work that a sentence says is left to do; NaN where it counts none.

    >>> count_left("The agreement is 95 percent settled, the minister said.")
    0.05
    >>> count_left("Six of about thirty chapters are complete."), count_left("Duties fell 5 %.")
    (0.8, nan)
    """
    for pattern in COUNTED:
        if found := pattern.search(text):
            parts = found.groupdict()
            share = number(parts["part"]) / number(parts.get("whole") or "100")
            if share <= 1:
                return round(share if parts["left"] else 1 - share, 3)
    return math.nan


def number(word: str) -> float:
    """Return the number that a word or figure stands for."""
    return float(WORDS.get(word.lower(), 0) or word)
