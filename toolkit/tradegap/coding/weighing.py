"""Second stage, beside the evidence: the weights of words, arranged to be summed fast.

The evidence for a direction is the sum of what the signs of a sentence weigh. Words are most of
these signs, and to spell out the name of each only to look it up takes longer than all else. So the
weights are arranged by words: a word leads to its own weights and to the words that may follow it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from tradegap.coding.cues import DIRECTIONS, Weights, read_thresholds, read_weights
from tradegap.coding.wording import CLASS, WORD, is_sign, read_words

__all__ = ["Model", "read_model"]

NONE: Weights = (0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Begun:
    """What signs begin with one or two words: the place of their weights, and those that go on."""

    place: int = 0  # of a row; the first one is of no sign
    then: dict[str, Begun] = field(default_factory=dict)
    gap: dict[str, int] = field(default_factory=dict)  # "a … b"


class Model:
    """Weights and thresholds of the coder.

    >>> model = Model({"“no deal”": (-1.0, 0.0, 2.0, 0.0), "short": (0.0, 0.0, 1.0, 0.0)}, {})
    >>> model.weigh({"short": 1.0}, " no deal , no deal . ")["open"]
    2.4
    """

    def __init__(self, weights: Mapping[str, Weights], thresholds: Mapping[str, float]) -> None:
        """Arrange the weights of words, pairs and triples by their words."""
        self.weights, self.thresholds = weights, thresholds
        self.rows: list[Sequence[float]] = [NONE]
        self.classes: dict[str, int] = {}
        self.begun: dict[str, Begun] = {}
        for name, weight in weights.items():
            if name[0] not in "“[":
                continue
            amount = WORD if name[0] == "“" else CLASS
            place = len(self.rows)
            self.rows.append([amount * each for each in weight])
            words = name[1:-1].split(" ")
            if name[0] == "[":
                self.classes[name[1:-1]] = place
            elif words[1:2] == ["…"]:
                self.begun.setdefault(words[0], Begun()).gap[words[2]] = place
            elif len(words) > 1 or is_sign(words[0]):
                at = self.begun.setdefault(words[0], Begun())
                for word in words[1:]:
                    at = at.then.setdefault(word, Begun())
                at.place = place

    def weigh(self, context: Mapping[str, float], marked: str) -> dict[str, float]:
        """Return the evidence for each direction: what context and words show, weighed, in sum."""
        known = self.weights
        rows = [
            [amount * each for each in known[name]]
            for name, amount in context.items()
            if name in known
        ]
        rows += map(self.rows.__getitem__, self.find_signs(marked))
        return dict(zip(DIRECTIONS, map(sum, zip(NONE, *rows, strict=True)), strict=True))

    def find_signs(self, marked: str) -> set[int]:
        """Return the places of the signs that words show, each once, however often it is there."""
        classes, words = read_words(marked)
        places = {self.classes.get(name, 0) for name in classes}
        begun = map(self.begun.get, words)
        for one, two, three in zip(begun, [*words[1:], ""], [*words[2:], "", ""], strict=False):
            if one is None:
                continue
            places.add(one.place)
            if three in one.gap:
                places.add(one.gap[three])
            pair = one.then.get(two)
            if pair is not None:
                places.add(pair.place)
                if three in pair.then:
                    places.add(pair.then[three].place)
        return places


@cache
def read_model() -> Model:
    """Return the model that ships: cues/weights.csv and cues/thresholds.csv."""
    return Model(read_weights(), read_thresholds())
