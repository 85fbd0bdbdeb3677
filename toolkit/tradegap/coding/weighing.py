"""Second stage, beside the evidence: what the signs of a document's sentences weigh, in sum.

The evidence for a direction is the sum of what the signs of a sentence weigh. Words are most of
these signs, and to spell out the name of each only to look it up takes longer than all else. So
each sign of words has a number made of those of its words, and is looked up by it, for all
sentences of a document at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from tradegap.coding.cues import DIRECTIONS, Weights, read_thresholds, read_weights
from tradegap.coding.wording import CLASS, WORD, is_sign, read_words

__all__ = ["Model", "read_model"]

Array = npt.NDArray[np.int64]


class Model:
    """The weights of signs, and the chance from which each direction is coded.

    >>> model = Model({"“no deal”": (-1.0, 0.0, 2.0, 0.0), "short": (0.0, 0.0, 1.0, 0.0)}, {})
    >>> model.weigh([{"short": 1.0}, {}], [" no deal , no deal . ", " deal . "])[0]["open"]
    2.4
    """

    def __init__(self, weights: Mapping[str, Weights], thresholds: Mapping[str, float]) -> None:
        """Number the words of the signs, and sort the signs by their numbers."""
        self.weights, self.thresholds = weights, thresholds
        self.places = {name: place for place, name in enumerate(weights)}
        self.table = np.array([*weights.values()], float).reshape(len(weights), len(DIRECTIONS)).T
        named = [
            (name[1:-1].split(" "), place) for name, place in self.places.items() if name[0] == "“"
        ]
        known = sorted({word for words, _ in named for word in words})
        self.words = {word: number for number, word in enumerate(known, start=1)}
        self.base = len(known) + 1
        numbers = [
            (self.number(*[self.words[word] for word in words]), place)
            for words, place in named
            if len(words) > 1 or is_sign(words[0])
        ]
        self.numbers, self.numbered = np.array([*sorted(numbers), (2**62, 0)], np.int64).T.copy()
        # "a … b" is a pair, too, with a gap between.
        self.gap = self.words.get("…", 0)

    def number(self, first: Any, second: Any = 0, third: Any = 0) -> Any:
        """Return the number of a sign of up to three words, from theirs."""
        return (first * self.base + second) * self.base + third

    def weigh(
        self, contexts: Sequence[Mapping[str, float]], marked: Sequence[str]
    ) -> list[dict[str, float]]:
        """Return the evidence for each direction in each sentence of a document."""
        told: list[tuple[int, int, float]] = []
        ids, ends = [0, 0], []
        for at, (context, sentence) in enumerate(zip(contexts, marked, strict=True)):
            classes, words = read_words(sentence)
            amounts = context | dict.fromkeys([f"[{name}]" for name in classes], CLASS)
            told += [
                (at, self.places[name], amount)
                for name, amount in amounts.items()
                if name in self.places
            ]
            ids += map(self.words.get, words, repeat(0))
            ids += (0, 0)
            ends.append(len(ids))
        where, places, amounts_told = zip(*told, strict=True) if told else ((), (), ())
        where_words, places_words = self.find_signs(np.array(ids, np.int64), ends)
        sentence_of = np.concatenate([np.array(where, np.int64), where_words])
        place_of = np.concatenate([np.array(places, np.int64), places_words])
        amount_of = np.concatenate([np.array(amounts_told, float), np.full(len(places_words), WORD)])
        sums = [
            np.bincount(sentence_of, amount_of * column[place_of], len(marked)).tolist()
            for column in self.table
        ]
        return [dict(zip(DIRECTIONS, each, strict=True)) for each in zip(*sums, strict=True)]

    def find_signs(self, ids: Array, ends: Sequence[int]) -> tuple[Array, Array]:
        """Return the sentences and places of all signs of words, each once in a sentence."""
        one, two, three = ids[:-2], ids[1:-1], ids[2:]
        blank = np.zeros_like(one)
        numbers = np.concatenate(
            [
                self.number(one),
                np.where(two, self.number(one, two), 0),
                np.where(two * three, self.number(one, two, three), 0),
                np.where(three, self.number(one, blank + self.gap, three), 0),
            ]
        )
        at = np.searchsorted(self.numbers, numbers)
        hits = np.flatnonzero(self.numbers[at] == numbers)
        sentences = np.searchsorted(ends, hits % len(one), side="right")
        both = np.unique(sentences * len(self.table[0]) + self.numbered[at[hits]])
        return np.divmod(both, len(self.table[0]))


@cache
def read_model() -> Model:
    """Return the model that ships: cues/weights.csv and cues/thresholds.csv."""
    return Model(read_weights(), read_thresholds())
