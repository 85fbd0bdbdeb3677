"""Beside the second stage: fits the weights of the cue files to gold sets, and says how they hold.

    python -m tradegap.coding.fit ../shared

For each direction a logistic regression over the signs of a sentence. The weights are pulled not
to zero but to the `meant` column of cues/direction.csv, the weight that a person would give the
cue: what the gold sets show little of stays as meant. Cross-validation holds out whole talks.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tradegap.coding.cues import DIRECTIONS, probability, read_cues, read_rows
from tradegap.coding.evidence import mark_sentences, show
from tradegap.coding.parties import find_mentions
from tradegap.coding.sentences import split_sentences
from tradegap.documents import read_documents

__all__ = ["Example", "fit_weights", "read_examples"]

Array = npt.NDArray[np.float64]
SETS = ("dev", "dev2", "dev3")
PULL = 6.0  # how strongly weights are pulled to what is meant; chosen by cross-validation
AGAINST = -0.15  # a cue for one direction speaks, as meant, a little against the others
FOLDS = 6


@dataclass(frozen=True)
class Example:
    """One sentence of a gold set: its signs, its directions, and the talks it is held out with."""

    signs: dict[str, float]
    directions: frozenset[str]
    talks: str


def read_examples(gold: Path) -> list[Example]:
    """Return one example per sentence of the gold sets in a folder."""
    examples = []
    for name in SETS:
        for line in (gold / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            documents, _ = read_documents([gold / entry["file"]], published=entry["pub_date"])
            sentences = split_sentences(documents[0].text, documents[0].blocks)
            mentions = find_mentions(documents[0].text)
            marked = mark_sentences(documents[0].text, sentences, mentions)
            talks = ";".join(sorted(entry["talks"] or [entry["doc_id"]]))
            for sentence, signs in zip(sentences, show(sentences, marked), strict=True):
                place = gold_sentence(entry["sentences"], sentence.start, sentence.end)
                if place is None:
                    continue
                said = {
                    signal["direction"]
                    for signal in entry["signals"]
                    if signal["sentence"] == place and signal["scope"] == "between"
                }
                examples.append(Example(signs, frozenset(said & set(DIRECTIONS)), talks))
    return examples


def gold_sentence(spans: Sequence[Sequence[int]], start: int, end: int) -> int | None:
    """Return the number of the gold sentence that a span is; None where gold takes several as one.

    >>> gold_sentence([[0, 10], [11, 60]], 0, 10), gold_sentence([[0, 60]], 0, 10)
    (0, None)
    """
    overlaps = [min(end, last) - max(start, first) for first, last in spans]
    best = max(range(len(spans)), key=lambda number: overlaps[number])
    length = spans[best][1] - spans[best][0]
    return best if overlaps[best] > 0 and length <= 1.6 * (end - start) else None


def meant_weights(names: Sequence[str]) -> Array:
    """Return the weights as meant: one row per sign, one column per direction."""
    meant = {
        row["cue"]: (row["direction"], float(row["meant"])) for row in read_rows("direction.csv")
    }
    weights = np.zeros((len(names), len(DIRECTIONS)))
    for number, name in enumerate(names):
        direction, amount = meant.get(name, ("", 0.0))
        if direction == "blocker":
            weights[number] = -amount
        if direction in DIRECTIONS:
            weights[number] = AGAINST * amount
            weights[number, DIRECTIONS.index(direction)] = amount
    return weights


def fit_weights(signs: Array, wanted: Array, meant: Array, pull: Array) -> Array:
    """Return the weights of one direction: logistic regression, pulled to `meant` (Newton)."""
    weights = np.zeros_like(meant)
    for _ in range(12):
        chance = 1 / (1 + np.exp(-np.clip(signs @ weights, -30, 30)))
        slope = signs.T @ (chance - wanted) + pull * (weights - meant)
        curve = (signs * (chance * (1 - chance) + 1e-6)[:, None]).T @ signs + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-4:
            break
    return weights


def arrange(examples: Sequence[Example]) -> tuple[list[str], Array, Array]:
    """Return the names of the signs, the signs as a matrix, and the directions as a matrix."""
    names = sorted(
        {name for each in examples for name in each.signs} | {c.name for c in read_cues()}
    )
    column = {name: number for number, name in enumerate(names)}
    signs = np.zeros((len(examples), len(names)))
    for row, each in enumerate(examples):
        for name, amount in each.signs.items():
            signs[row, column[name]] = amount
    wanted = np.array([[d in each.directions for d in DIRECTIONS] for each in examples], float)
    return names, signs, wanted


def held_out(examples: Sequence[Example]) -> Array:
    """Return each example's chances, from weights fitted without the talks it belongs to."""
    names, signs, wanted = arrange(examples)
    meant, pull = meant_weights(names), pulls(names)
    sizes = Counter(each.talks for each in examples)
    talks = sorted(sizes)
    random.Random(1).shuffle(talks)
    load, fold = [0] * FOLDS, {}
    for each in sorted(talks, key=lambda name: -sizes[name]):
        fold[each] = load.index(min(load))
        load[fold[each]] += sizes[each]
    place = np.array([fold[each.talks] for each in examples])
    chances = np.zeros(wanted.shape)
    for number in range(FOLDS):
        rest, own = place != number, place == number
        for at in range(len(DIRECTIONS)):
            weights = fit_weights(signs[rest], wanted[rest, at], meant[:, at], pull)
            chances[own, at] = [probability(each) for each in signs[own] @ weights]
    return chances


def pulls(names: Sequence[str]) -> Array:
    """Return how strongly each weight is pulled; the constant is free."""
    return np.array([0.01 if name == "always" else PULL for name in names])


def write_weights(names: Sequence[str], weights: Array) -> None:
    """Write the weights into cues/direction.csv and cues/contexts.csv."""
    amounts = {
        name: {d: f"{value:.2f}" for d, value in zip(DIRECTIONS, row, strict=True)}
        for name, row in zip(names, weights, strict=True)
    }
    cues = [row | amounts[row["cue"]] for row in read_rows("direction.csv")]
    known = {row["cue"] for row in cues}
    contexts = [{"context": name} | amounts[name] for name in names if name not in known]
    tables: list[tuple[str, list[dict[str, Any]]]] = [
        ("direction.csv", cues),
        ("contexts.csv", contexts),
    ]
    for file, rows in tables:
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        Path(str(files("tradegap") / "cues" / file)).write_text(out.getvalue(), encoding="utf-8")


def main(shared: Path) -> None:
    """Fit, print the held-out precision and recall at the coder's thresholds, and write."""
    from tradegap.coding import choose

    examples = read_examples(shared / "gold")
    chances = held_out(examples)
    chosen = [set(choose(dict(zip(DIRECTIONS, row, strict=True)))) for row in chances]
    for direction in DIRECTIONS:
        hits = sum(
            direction in c and direction in e.directions
            for c, e in zip(chosen, examples, strict=True)
        )
        found = sum(direction in c for c in chosen)
        gold = sum(direction in e.directions for e in examples)
        print(
            f"{direction:10} P {hits / max(1, found):.2f} R {hits / max(1, gold):.2f}"
            f" F1 {2 * hits / max(1, found + gold):.2f}"
        )
    names, signs, wanted = arrange(examples)
    meant, pull = meant_weights(names), pulls(names)
    columns = [
        fit_weights(signs, wanted[:, at], meant[:, at], pull) for at in range(len(DIRECTIONS))
    ]
    write_weights(names, np.column_stack(columns))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
