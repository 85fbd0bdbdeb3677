"""Beside the second stage: fits the weights of the signs, and says how they hold.

    python -m tradegap.coding.fit ../shared

One softmax regression over the signs of a sentence: no signal, or one of the four directions. What
its cues are meant to say, in sum, is a sign of its own. It is fitted twice. First to the invented
documents of data/training; what that model says of a sentence is then one more sign in the fit to
the hand-coded sets, so that these correct it rather than start from nothing. All of it is linear,
so the sum ships as one table of weights. A scale and a constant for each direction, fitted to
sentences held out, make the chances honest, and a curve for each the confidence in a signal.

Whole talks are held out: six folds, no pair of parties in two of them. For every figure that is
printed the weights, the scale, the constants, the curves and the thresholds come from the other
folds, those of issues, pace and forward events (fit_issues.py, fit_timing.py) too, and the coder
runs as it ships. What no fold can hold out are the cues and the rules: who wrote them had read the
sets.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from tradegap.coding import Model, code_document, to_json
from tradegap.coding.cues import DIRECTIONS, Weights, find_confidence, read_cues
from tradegap.coding.fit_issues import fit_kinds, read_cases, round_weights
from tradegap.coding.fit_timing import fit_both, read_examples
from tradegap.coding.heldout import write_scores
from tradegap.coding.training import (
    FOLDS,
    SETS,
    Example,
    read_gold,
    read_invented,
    spread_folds,
    write_cues,
)
from tradegap.talks import project_root

Array = npt.NDArray[np.float64]
FEWEST = 3  # sentences that show a sign before it is weighed
STRENGTH = 0.07  # inverse strength of the pull to zero; chosen by cross-validation
AGAINST = -0.15  # a cue for one direction speaks, as meant, a little against the others
STEPS = 60  # stopping early does better on talks held out than going on to the end (by .02)
LEFT_ALONE = 0.88  # share of documents about something else that shall stay silent
AROUND = 8  # F1 is jagged: a threshold is good if those up to so many hundredths off are, too
SMALLEST = 0.02  # a sign that weighs less for every direction is left out


def fit_softmax(signs: Any, examples: Sequence[Example]) -> tuple[Array, Array]:
    """Return weights (signs × 5) and constants (5) of: the four directions, no signal."""
    rows, labels, amounts = [], [], []
    for row, example in enumerate(examples):
        said = [at for at, name in enumerate(DIRECTIONS) if name in example.directions] or [4]
        rows += [row] * len(said)
        labels += said
        amounts += [len(said) ** -0.5] * len(said)
    model = LogisticRegression(C=STRENGTH, max_iter=STEPS, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(signs[rows], labels, sample_weight=amounts)
    return model.coef_.T, model.intercept_


def arrange(shown: Sequence[dict[str, float]], column: dict[str, int]) -> Any:
    """Return a sparse matrix: one row per sentence, one column per sign."""
    places = [(r, column[n], a) for r, s in enumerate(shown) for n, a in s.items() if n in column]
    rows, columns, amounts = zip(*places, strict=True)
    return csr_matrix((amounts, (rows, columns)), shape=(len(shown), len(column)))


def meant_weights(column: dict[str, int]) -> Array:
    """Return what a person would give each cue: one row per sign, one column per direction."""
    meant = np.zeros((len(column), len(DIRECTIONS)))
    for cue in read_cues():
        if cue.direction in (*DIRECTIONS, "blocker") and cue.name in column:
            is_blocker = cue.direction == "blocker"
            meant[column[cue.name]] = -cue.meant if is_blocker else AGAINST * cue.meant
            if not is_blocker:
                meant[column[cue.name], DIRECTIONS.index(cue.direction)] = cue.meant
    return meant


def chances_of(evidence: Array) -> Array:
    """Return the chance of each direction from its evidence against no signal."""
    powers = np.exp(np.clip(evidence, -30, 30))
    chances: Array = powers / (1 + powers.sum(axis=1, keepdims=True))
    return chances


def calibrate(evidence: Array, wanted: Array) -> Array:
    """Return a scale and four constants that make held-out chances honest (least log loss)."""

    def loss(x: Array) -> float:
        chances = np.clip(chances_of(evidence * x[0] + x[1:]), 1e-9, 1)
        silent = np.clip(1 - chances.sum(axis=1), 1e-9, 1)
        share = wanted / np.maximum(1, wanted.sum(axis=1, keepdims=True))
        return -float((share * np.log(chances)).sum() + ((1 - share.sum(1)) * np.log(silent)).sum())

    found: Array = minimize(loss, np.array([1.0, 0, 0, 0, 0]), method="BFGS").x
    return found


def fit_confidence(chances: Array, wanted: Array) -> dict[str, tuple[float, float, float]]:
    """Return the curve of `find_confidence` for each direction, from sentences held out."""
    curves = {}
    for at, name in enumerate(DIRECTIONS):
        known = np.clip(chances[:, at], 1e-5, 1 - 1e-5)
        signs = np.stack([np.log(known), -np.log(1 - known)], axis=1)
        model = LogisticRegression(max_iter=500).fit(signs, wanted[:, at])
        rise, fall = model.coef_[0].round(3).tolist()
        curves[name] = (rise, fall, round(float(model.intercept_[0]), 3))
    return curves


def find_thresholds(chances: Array, wanted: Array, surest: Array, other: Array) -> dict[str, float]:
    """Return the chance from which each direction does best (F1), and that for a document.

    `surest` is the chance of the surest signal of each document, `other` says which of them are
    about something else.
    """
    thresholds = {}
    cuts = np.arange(0.1, 0.6, 0.01).round(2)
    for at, name in enumerate(DIRECTIONS):
        scores = []
        for cut in cuts:
            found = chances[:, at] >= cut
            hits = (found & (wanted[:, at] > 0)).sum()
            scores.append(2 * hits / max(1, found.sum() + wanted[:, at].sum()))
        around = [
            np.mean(scores[max(0, place - AROUND) : place + AROUND + 1])
            for place in range(len(cuts))
        ]
        thresholds[name] = float(cuts[int(np.argmax(around))])
    thresholds["document"] = round(float(np.quantile(surest[other], LEFT_ALONE)) + 0.005, 2)
    return thresholds


def main(shared: Path) -> None:
    """Fit, print how the coder scores on talks held out, and write weights, thresholds, scores."""
    gold = read_gold(shared / "gold")
    invented = read_invented(project_root() / "data" / "training")
    seen = Counter(n for each in gold for signs in each.shown for n in signs)
    seen.update(n for each in invented for n in each.signs)
    names = sorted(name for name, count in seen.items() if count >= FEWEST)
    column = {name: at for at, name in enumerate(names)}
    # What the cues are meant to say, in sum, is a sign of its own; so is what the first fit says.
    meant = meant_weights(column)
    theirs = arrange([each.signs for each in invented], column)
    first, constant = fit_softmax(hstack([theirs, csr_matrix(theirs @ meant)]).tocsr(), invented)
    first = first[: len(names)] + meant @ first[len(names) :]
    shown = [signs for each in gold for signs in each.shown]
    examples = [example for each in gold for example in each.examples]
    own = arrange(shown, column)
    signs = hstack([own, csr_matrix(own @ meant), csr_matrix(own @ first + constant)]).tocsr()
    place = np.repeat(np.arange(len(gold)), [len(each.shown) for each in gold])
    talks = [gold[at].talks for at in place]
    spread = spread_folds(talks, FOLDS)
    fold = np.array([spread[each] for each in talks])
    usable = np.array([each is not None for each in examples])
    wanted = np.array(
        [[each is not None and d in each.directions for d in DIRECTIONS] for each in examples],
        float,
    )

    def fit(rows: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
        chosen = np.flatnonzero(rows & usable)
        weights, constants = fit_softmax(
            signs[chosen], [e for e in (examples[r] for r in chosen) if e]
        )
        said, taught = weights[len(names) : -5], weights[-5:]
        total = weights[: len(names)] + meant @ said + first @ taught
        constants = constants + constant @ taught
        return total[:, :4] - total[:, 4:], constants[:4] - constants[4:]

    fitted = [fit(fold != number) for number in range(FOLDS)]
    evidence = np.zeros((len(shown), len(DIRECTIONS)))
    for number, (weights, constants) in enumerate(fitted):
        evidence[fold == number] = (own @ weights + constants)[fold == number]
    other = np.array([each.entry["hard_negative"] for each in gold])

    def settle(
        rows: npt.NDArray[np.bool_],
    ) -> tuple[Array, dict[str, float], dict[str, tuple[float, float, float]], Array]:
        scale = calibrate(evidence[rows & usable], wanted[rows & usable])
        chances = chances_of(evidence * scale[0] + scale[1:])
        surest = np.array([chances[place == at].sum(axis=1).max() for at in range(len(gold))])
        inside = np.array([rows[place == at].all() for at in range(len(gold))])
        thresholds = find_thresholds(chances[rows], wanted[rows], surest, other & inside)
        curves = fit_confidence(chances[rows & usable], wanted[rows & usable])
        return scale, thresholds, curves, chances

    cases, times = read_cases(shared / "gold", SETS), read_examples(shared / "gold", SETS)
    lines: list[str] = []
    said, honest = np.zeros(len(shown)), np.zeros_like(evidence)
    for number, (weights, constants) in enumerate(fitted):
        scale, thresholds, curves, chances = settle(fold != number)
        said[fold == number] = chances[fold == number].sum(axis=1)
        for row in np.flatnonzero(fold == number):
            pairs = zip(chances[row], curves.values(), strict=True)
            honest[row] = [find_confidence(chance, curve) for chance, curve in pairs]
        table = as_table(names, weights, constants, scale)
        kinds = fit_kinds([each for each in cases if spread[each.talks] != number])
        timed = fit_both([each for each in times if spread[each.talks] != number])
        model = Model(table, thresholds, confidence=curves, issues=round_weights(kinds), **timed)
        for each in (gold[at] for at in np.unique(place[fold == number])):
            coded = code_document(each.document, model=model)
            lines += [to_json(row) for _, row in coded.iterrows()]
    print(write_scores(shared / "gold", gold, lines, said[usable], honest[usable], wanted[usable]))

    everything = np.ones(len(shown), bool)
    weights, constants = fit(everything)
    scale, thresholds, curves, _ = settle(everything)
    write_tables(as_table(names, weights, constants, scale), thresholds, curves)


def as_table(
    names: Sequence[str], weights: Array, constants: Array, scale: Array
) -> dict[str, Weights]:
    """Return the calibrated weights of each sign; the constants are those of the sign `always`."""
    scaled = weights * scale[0]
    scaled[names.index("always")] += constants * scale[0] + scale[1:]
    rows = scaled.round(2) + 0.0
    kept = np.abs(rows).max(axis=1) >= SMALLEST
    return {
        n: (r[0], r[1], r[2], r[3]) for n, r, k in zip(names, rows.tolist(), kept, strict=True) if k
    }


def write_tables(
    weights: dict[str, Weights],
    thresholds: dict[str, float],
    curves: dict[str, tuple[float, float, float]],
) -> None:
    """Write cues/weights.csv, cues/thresholds.csv and cues/confidence.csv."""
    rows = [
        {"sign": name} | {d: f"{value:.2f}" for d, value in zip(DIRECTIONS, row, strict=True)}
        for name, row in weights.items()
    ]
    write_cues("weights.csv", rows)
    cuts = [{"threshold": name, "chance": chance} for name, chance in thresholds.items()]
    write_cues("thresholds.csv", cuts)
    parts = ("direction", "rise", "fall", "level")
    write_cues(
        "confidence.csv",
        [dict(zip(parts, (name, *curve), strict=True)) for name, curve in curves.items()],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
