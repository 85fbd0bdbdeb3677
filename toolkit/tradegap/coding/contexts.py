"""Second stage, beside the cues: the named contexts of cues/contexts.csv that a sentence shows.

Issues, forward events and pace weigh them; what they are worth stands in their own cue files.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from tradegap.coding.cues import compile_pattern, read_rows
from tradegap.coding.prefilter import Prefilter

__all__ = ["is_shown", "read_patterns", "read_prefilter", "show_named"]


@cache
def read_patterns(file: str) -> list[re.Pattern[str]]:
    """Return the patterns of a cue file, in its order."""
    rows = enumerate(read_rows(file), start=2)
    return [compile_pattern(row["pattern"], f"cues/{file}:row {number}") for number, row in rows]


@cache
def read_prefilter(file: str) -> Prefilter:
    """Return the patterns of a cue file, to be looked up by words."""
    return Prefilter(read_patterns(file))


@cache
def by_name() -> dict[str, re.Pattern[str]]:
    """Return the patterns of cues/contexts.csv by the name of their context."""
    rows, patterns = read_rows("contexts.csv"), read_patterns("contexts.csv")
    return {row["context"]: each for row, each in zip(rows, patterns, strict=True)}


@lru_cache(maxsize=1000)
def show_named(marked: str) -> frozenset[str]:
    """Return the contexts that a marked sentence shows.

    >>> sorted(show_named(" peru will hit back . "))
    ['retaliation']
    """
    rows = read_rows("contexts.csv")
    return frozenset(rows[at]["context"] for at in read_prefilter("contexts.csv").search(marked))


def is_shown(context: str, part: str) -> bool:
    """Return whether a part of a marked sentence shows a context."""
    return bool(by_name()[context].search(part))
