"""Beside the second stage: how far two codings agree, sentence by sentence, and how sure that is.

A sentence may have two directions, so what is counted are pairs (gold, coded): each direction that
both give it is a pair; what is left on either side is paired in the order of the scale, and with
`silent` where the other side has nothing left. So the rows and columns of the confusion matrix add
up to what the scorer calls n and found, and its diagonal to the hits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from tradegap.coding.cues import DIRECTIONS

__all__ = ["VALUES", "bootstrap", "coincide", "compute_alpha", "count_pairs", "pair_directions"]

Array = npt.NDArray[np.float64]
SILENT = "silent"
VALUES = (*DIRECTIONS, SILENT)  # the four in the order of the scale
DRAWS = 1000


def pair_directions(gold: Collection[str], coded: Collection[str]) -> list[tuple[str, str]]:
    """Return one pair (gold, coded) per direction that a sentence has; silent twice if it has none.

    >>> pair_directions({"open"}, {"open", "narrowing"})
    [('open', 'open'), ('silent', 'narrowing')]
    >>> pair_directions({"open"}, {"closed"}), pair_directions((), ())
    ([('open', 'closed')], [('silent', 'silent')])
    """
    both = [(name, name) for name in DIRECTIONS if name in gold and name in coded]
    missed = [name for name in DIRECTIONS if name in gold and name not in coded]
    added = [name for name in DIRECTIONS if name in coded and name not in gold]
    pairs = both + list(zip_longest(missed, added, fillvalue=SILENT))
    return pairs or [(SILENT, SILENT)]


def count_pairs(pairs: Sequence[tuple[str, str]]) -> Array:
    """Return the confusion matrix of pairs: a row per gold value, a column per coded one."""
    counts = np.zeros((len(VALUES), len(VALUES)))
    for gold, coded in pairs:
        counts[VALUES.index(gold), VALUES.index(coded)] += 1
    return counts


def coincide(units: Sequence[Sequence[int]], size: int) -> Array:
    """Return Krippendorff's coincidence matrix of units, each with the values that coders gave it.

    A unit with m values has m (m − 1) ordered pairs, each of which counts 1 / (m − 1); a unit with
    one value has none.

    >>> coincide([[0, 1], [1, 1], [0]], 2).tolist()
    [[0.0, 1.0], [1.0, 2.0]]
    """
    counts = np.zeros((size, size))
    for values in units:
        for at, one in enumerate(values):
            for other in (*values[:at], *values[at + 1 :]):
                counts[one, other] += 1 / (len(values) - 1)
    return counts


def compute_alpha(coincidences: Array, *, is_ordinal: bool = False) -> float:
    """Return Krippendorff's alpha: 1 is full agreement, 0 what chance would give.

    Of two coders the coincidences are their confusion matrix and its transpose, together.
    Computed as in Krippendorff (2011), *Computing Krippendorff's Alpha-Reliability*, and (2019),
    *Content Analysis*, 4th ed., ch. 12. Nominal values differ or do not; ordinal ones (in the order
    of the matrix) by how many values lie between them. Not a number where all values are the same.

    >>> round(compute_alpha(np.array([[8.0, 2], [2, 8]])), 2)
    0.62
    """
    totals = coincidences.sum(axis=1)
    apart = 1 - np.eye(len(totals))
    if is_ordinal:
        upto = np.cumsum(totals) - totals / 2
        apart = (upto[:, None] - upto[None, :]) ** 2
    observed = float((coincidences * apart).sum())
    expected = float((np.outer(totals, totals) * apart).sum())
    return 1 - float(totals.sum() - 1) * observed / expected if expected else float("nan")


def bootstrap(parts: Array, measure: Callable[[Array], Any]) -> tuple[Any, Any]:
    """Return the 90 % interval of a measure of counts, where whole parts (talks) are resampled.

    `parts` are counts whose first axis is the part; `measure` takes their sum.
    """
    pick = np.random.default_rng(0)
    amounts = pick.multinomial(len(parts), np.full(len(parts), 1 / len(parts)), size=DRAWS)
    values = [measure(np.tensordot(each, parts, axes=1)) for each in amounts]
    low, high = np.nanquantile(np.array(values), [0.05, 0.95], axis=0)
    return low, high
