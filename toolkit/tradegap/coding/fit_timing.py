"""Beside the second stage: fits the weights of pace and forward events, and says how they hold.

    python -m tradegap.coding.fit_timing ../shared [SET …]

As fit.py does for directions: a logistic regression pulled to the `meant` column of the cue file,
cross-validated with whole talks held out. Without sets named, all gold sets are used.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tradegap.coding.cues import read_rows
from tradegap.coding.dates import find_event_date, find_told_date, find_whens
from tradegap.coding.evidence import mark_sentences
from tradegap.coding.parties import find_mentions
from tradegap.coding.sentences import split_sentences
from tradegap.coding.timing import read_signs, shares, show_forward, show_pace
from tradegap.coding.training import SETS, fit_weights, spread_folds, write_cues
from tradegap.documents import read_documents

__all__ = ["fit_both", "read_examples"]

Array = npt.NDArray[np.float64]
FOLDS = 8
PULL = {"forward": 6.0, "pace": 4.0}  # to what is meant; chosen by cross-validation


class Example(NamedTuple):
    """One sentence of a gold set: its signs, and what the set says of it."""

    forward_signs: dict[str, float]
    pace_signs: dict[str, float]
    has_forward: bool
    has_pace: bool
    talks: str
    set_name: str


def read_examples(gold: Path, sets: Sequence[str]) -> list[Example]:
    """Return one example per sentence of the gold sets in a folder."""
    examples = []
    for name in sets:
        for line in (gold / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            documents, _ = read_documents([gold / entry["file"]], published=entry["pub_date"])
            text = documents[0].text
            sentences = split_sentences(text, documents[0].blocks)
            marked = mark_sentences(text, sentences, find_mentions(text))
            body = " ".join([each.text for each in sentences if each.kind != "title"][:2])
            event = find_event_date(body, documents[0].published)
            told = find_told_date(body, documents[0].published)
            whens = [find_whens(each, event, told) for each in marked]
            document = shares(marked)
            talks = ";".join(sorted(entry["talks"] or [entry["doc_id"]]))
            for number, sentence in enumerate(sentences):
                said = signals_at(entry, sentence.start, sentence.end)
                examples.append(
                    Example(
                        show_forward(number, sentences, marked, whens) | document,
                        show_pace(number, sentences, marked) | document,
                        any(each.get("forward") for each in said),
                        any(each.get("pace") not in (None, "none") for each in said),
                        talks,
                        name,
                    )
                )
    return examples


def signals_at(entry: dict[str, Any], start: int, end: int) -> list[dict[str, Any]]:
    """Return the gold signals of the sentence that a span overlaps most."""
    overlaps = [min(end, last) - max(start, first) for first, last in entry["sentences"]]
    best = max(range(len(overlaps)), key=lambda number: overlaps[number])
    return [each for each in entry["signals"] if each["sentence"] == best]


def meant_weights(what: str) -> dict[str, float]:
    """Return the weight that a person would give each sign of 'forward' or 'pace'."""
    return {row["sign"]: float(row["meant"]) for row in read_rows(f"{what}.csv")}


class Table(NamedTuple):
    """The examples as numbers: a row per sentence, a column per sign."""

    names: list[str]
    signs: Array
    wanted: Array
    meant: Array
    pull: Array


def arrange(examples: Sequence[Example], what: str, strength: float) -> Table:
    """Return the examples as numbers, for 'forward' or 'pace'."""
    meant = meant_weights(what)
    shown = [each.forward_signs if what == "forward" else each.pace_signs for each in examples]
    names = sorted({name for each in shown for name in each} | set(meant))
    column = {name: number for number, name in enumerate(names)}
    signs = np.zeros((len(examples), len(names)))
    for row, each in enumerate(shown):
        for name, amount in each.items():
            signs[row, column[name]] = amount
    wanted = np.array([getattr(each, f"has_{what}") for each in examples], float)
    pull = np.array([0.01 if name == "always" else strength for name in names])
    return Table(names, signs, wanted, np.array([meant.get(n, 0.0) for n in names]), pull)


def fit_both(examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Return the weights of forward events and of pace, each by sign."""
    fitted = {}
    for what, pull in PULL.items():
        table = arrange(select(examples, what), what, pull)
        weights = fit_weights(table.signs, table.wanted, table.meant, table.pull)
        fitted[what] = dict(zip(table.names, map(float, weights), strict=True))
    return fitted


def select(examples: Sequence[Example], what: str) -> list[Example]:
    """Return the examples to fit on: a pace is found only where a sign of one stands."""
    told = meant_weights("pace").keys()
    return [each for each in examples if what != "pace" or told & each.pace_signs.keys()]


def held_out(examples: Sequence[Example], table: Table) -> Array:
    """Return each example's chance, from weights fitted without the talks it belongs to."""
    fold = spread_folds([each.talks for each in examples], FOLDS)
    place = np.array([fold[each.talks] for each in examples])
    chances = np.zeros(len(examples))
    for number in range(FOLDS):
        rest, own = place != number, place == number
        weights = fit_weights(table.signs[rest], table.wanted[rest], table.meant, table.pull)
        chances[own] = 1 / (1 + np.exp(-np.clip(table.signs[own] @ weights, -30, 30)))
    return chances


def describe(chances: Array, wanted: Array, threshold: float) -> str:
    """Return precision, recall and F1 at a threshold."""
    found = chances >= threshold
    hits = float((found & (wanted > 0)).sum())
    precision, recall = hits / max(1, found.sum()), hits / max(1, wanted.sum())
    f1 = 2 * hits / max(1, found.sum() + wanted.sum())
    return f"{threshold:.2f}: P {precision:.2f} R {recall:.2f} F1 {f1:.3f}"


def write_weights(fitted: dict[str, dict[str, float]]) -> None:
    """Write the weights into cues/forward.csv, pace.csv and timing.csv."""
    known = set()
    for what, weights in fitted.items():
        rows = []
        for row in read_rows(f"{what}.csv"):
            known.add(row["sign"])
            rows.append(row | {"weight": f"{weights[row['sign']]:.2f}"})
        write_cues(f"{what}.csv", rows)
    # What speaks against an event speaks with another weight against a pace: it is a context then.
    against = {s.name for s in read_signs("forward.csv", "kind") if s.kind == "against"}
    contexts = sorted((set(fitted["forward"]) | set(fitted["pace"])) - known | against)
    write_cues(
        "timing.csv",
        [
            {
                "context": name,
                "forward": f"{0 if name in against else fitted['forward'].get(name, 0):.2f}",
                "pace": f"{fitted['pace'].get(name, 0):.2f}",
            }
            for name in contexts
        ],
    )


def main(shared: Path, sets: Sequence[str]) -> None:
    """Fit, print the held-out precision and recall around the thresholds, and write."""
    examples = read_examples(shared / "gold", sets)
    for what, pull in PULL.items():
        here = select(examples, what)
        table = arrange(here, what, pull)
        chances = held_out(here, table)
        for threshold in (0.2, 0.22, 0.25, 0.3, 0.35, 0.4, 0.45):
            print(what, describe(chances, table.wanted, threshold))
    write_weights(fit_both(examples))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or SETS)
