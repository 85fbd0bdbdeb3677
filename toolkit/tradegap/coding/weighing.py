"""Second stage, beside the evidence: what the signs of a document's sentences weigh, in sum.

The evidence for a direction is the sum of what the signs of a sentence weigh. Words are most of
these signs, and to spell out the name of each only to look it up takes longer than all else. So
each sign of words has a number made of those of its words, and is looked up by it, for all
sentences of a document at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from tradegap.coding.cues import (
    DIRECTIONS,
    Weights,
    read_confidence,
    read_thresholds,
    read_weights,
)
from tradegap.coding.wording import CLASS, WORD, is_sign, read_words

__all__ = ["Model", "read_model"]

LEAST = 0.1  # what weighs less is no reason
MOST_REASONS = 16  # signs that `why` names, the strongest; a sentence shows more than a hundred
Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """What the signs of a document's sentences weigh: one column per sign in a sentence."""

    sums: list[dict[str, float]]  # for each direction, by sentence
    names: Sequence[str]
    place: Array  # of the sign in the names
    weighed: npt.NDArray[np.float64]  # a row for each direction
    begins: Array  # where the signs of each sentence begin

    def explain(self, number: int, direction: str) -> list[str]:
        """Return 'sign +weight' for the signs that count for a direction, strongest first."""
        own = slice(self.begins[number], self.begins[number + 1])
        weighed = self.weighed[DIRECTIONS.index(direction), own]
        told = [
            (self.names[self.place[own][at]], float(weighed[at]))
            for at in np.flatnonzero(np.abs(weighed) >= LEAST)
        ]
        strong = sorted(told, key=lambda each: (-abs(each[1]), each[0]))
        return [f"{name} {amount:+.2f}" for name, amount in strong[:MOST_REASONS]]


class Model:
    """The weights of signs, the chance from which each direction is coded, and what it is worth.

    >>> model = Model({"“no deal”": (-1.0, 0.0, 2.0, 0.0), "short": (0.0, 0.0, 1.0, 0.0)}, {})
    >>> evidence = model.weigh([{"short": 1.0}, {}], [" no deal , no deal . ", " deal . "])
    >>> evidence.sums[0]["open"], evidence.explain(0, "open")
    (1.94, ['short +1.00', '“no deal” +0.94'])
    """

    def __init__(
        self,
        weights: Mapping[str, Weights],
        thresholds: Mapping[str, float],
        *,
        confidence: Mapping[str, tuple[float, float, float]] | None = None,
        issues: Mapping[str, Mapping[str, float]] | None = None,
        forward: Mapping[str, float] | None = None,
        pace: Mapping[str, float] | None = None,
    ) -> None:
        """Number the words of the signs, and sort the signs by their numbers.

        The curves of confidence and the weights of issues, forward events and pace are those that
        ship where none are given.
        """
        self.confidence = read_confidence() if confidence is None else confidence
        self.issues, self.forward, self.pace = issues, forward, pace
        self.thresholds, self.names = thresholds, [*weights]
        self.places = {name: place for place, name in enumerate(weights)}
        self.table = np.array([*weights.values()], float).reshape(len(weights), len(DIRECTIONS)).T
        known = {word for name in weights if name[0] == "“" for word in name[1:-1].split(" ")}
        self.words = {word: number for number, word in enumerate(sorted(known), start=1)}
        self.base = len(known) + 1
        numbers = [(2**62, 0)]
        for name, place in self.places.items():
            words = name[1:-1].split(" ")
            if name[0] == "“" and (len(words) > 1 or is_sign(words[0])):
                numbers.append((self.number(*[self.words[word] for word in words]), place))
        self.numbers, self.numbered = np.array(sorted(numbers), np.int64).T.copy()
        # "a … b" is a pair, too, with a gap between.
        self.gap = self.words.get("…", 0)

    def number(self, first: Any, second: Any = 0, third: Any = 0) -> Any:
        """Return the number of a sign of up to three words, from theirs."""
        return (first * self.base + second) * self.base + third

    def weigh(self, contexts: Sequence[Mapping[str, float]], marked: Sequence[str]) -> Evidence:
        """Return the evidence for each direction in each sentence of a document."""
        told: list[tuple[int, int, float]] = []
        ids, ends = [0, 0], []
        for at, (context, words_marked) in enumerate(zip(contexts, marked, strict=True)):
            classes, words = read_words(words_marked)
            amounts = {**context} | dict.fromkeys([f"[{name}]" for name in classes], CLASS)
            told += [
                (at, self.places[name], amount)
                for name, amount in amounts.items()
                if name in self.places
            ]
            ids += map(self.words.get, words, repeat(0))
            ids += (0, 0)
            ends.append(len(ids))
        where, what, much = zip(*told, strict=True) if told else ((), (), ())
        words_where, words_what = self.find_signs(np.array(ids, np.int64), ends)
        sentence = np.concatenate([np.array(where, np.int64), words_where])
        order = np.argsort(sentence, kind="stable")
        place = np.concatenate([np.array(what, np.int64), words_what])[order]
        amount = np.concatenate([np.array(much, float), np.full(len(words_what), WORD)])[order]
        sentence = sentence[order]
        begins = np.searchsorted(sentence, np.arange(len(marked) + 1))
        weighed = self.table[:, place] * amount
        sums = [np.bincount(sentence, each, len(marked)).tolist() for each in weighed]
        evidence = [dict(zip(DIRECTIONS, own, strict=True)) for own in zip(*sums, strict=True)]
        return Evidence(evidence, self.names, place, weighed, begins)

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
