"""Beside the second stage: fits the weights of cues/issue_weights.csv, and says how they hold.

    python -m tradegap.coding.fit_issues ../shared [SETS]

A logistic regression per kind of issue over the sentences of the gold sets that are signals, each
with the issues that it may be about. Weights are pulled to zero, or to what is meant.
Cross-validation holds out whole talks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tradegap.coding.cues import DIRECTIONS
from tradegap.coding.evidence import mark_sentences
from tradegap.coding.issues import FROM, KINDS, issue_signs, kind_of
from tradegap.coding.parties import find_mentions
from tradegap.coding.sentences import split_sentences
from tradegap.coding.topics import clause_on_others, find_talks
from tradegap.coding.training import (
    FOLDS,
    SETS,
    fit_weights,
    gold_sentence,
    spread_folds,
    write_cues,
)
from tradegap.documents import read_documents

__all__ = ["Case", "fit_kinds", "read_cases", "round_weights"]

Array = npt.NDArray[np.float64]
PULL = 4.0  # how strongly weights are pulled to what is meant; chosen by cross-validation
# Rules of the codebook: a document on one sectoral dispute is on it in its general sentences, too;
# "the issue" is the one of the sentence before; "differences on origin rules" are on those,
# and so is a list that names them last.
MEANT = {
    ("sector", "document turns on it, none named"): 3.0,
    ("market_access", "document turns on it, none named"): 3.0,
    ("overall", "document turns on a sector, none named"): -3.0,
    ("sector", "just before, the issue"): 2.0,
    ("market_access", "just before, the issue"): 2.0,
    ("other", "just before, the issue"): 2.0,
    ("overall", "issue just before, the issue"): -2.0,
    ("market_access", "named as disputed"): 1.0,
    ("other", "named as disputed"): 1.0,
    ("other", "named as a quarrel"): 0.5,
    ("other", "named beside another"): 1.5,
    ("other", "named among three"): 0.75,
}


@dataclass(frozen=True)
class Case:
    """One signal sentence of a gold set: the signs of each issue, the true issues, its talks."""

    signs: Mapping[str, Mapping[str, float]]
    issues: frozenset[str]
    talks: str


def read_cases(gold: Path, sets: Sequence[str] = SETS) -> list[Case]:
    """Return one case per sentence of the gold sets that says how far apart the parties are."""
    cases = []
    for name in sets:
        for line in (gold / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            documents, _ = read_documents([gold / entry["file"]], published=entry["pub_date"])
            sentences = split_sentences(documents[0].text, documents[0].blocks)
            mentions = find_mentions(documents[0].text)
            marked = mark_sentences(documents[0].text, sentences, mentions)
            main, whose = find_talks(sentences, marked, mentions, ())
            clauses = [
                clause_on_others(words, each != [main])
                for words, each in zip(marked, whose, strict=True)
            ]
            talks = ";".join(sorted(entry["talks"] or [entry["doc_id"]]))
            for sentence, signs in zip(sentences, issue_signs(clauses), strict=True):
                place = gold_sentence(entry["sentences"], sentence.start, sentence.end)
                issues = {
                    issue
                    for signal in entry["signals"]
                    if signal["sentence"] == place
                    and signal["scope"] == "between"
                    and signal["direction"] in DIRECTIONS
                    for issue in signal["issues"]
                }
                if issues:
                    cases.append(Case(signs, frozenset(issues), talks))
    return cases


def fit_kinds(cases: Sequence[Case], pull: float = PULL) -> dict[str, dict[str, float]]:
    """Return the weight of each sign for each kind of issue."""
    fitted: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        rows = [
            (signs, issue in case.issues)
            for case in cases
            for issue, signs in case.signs.items()
            if kind_of(issue) == kind
        ]
        if not rows:
            fitted[kind] = {}
            continue
        names = sorted({name for signs, _ in rows for name in signs})
        column = {name: number for number, name in enumerate(names)}
        table = np.zeros((len(rows), len(names)))
        for row, (signs, _) in enumerate(rows):
            for name, amount in signs.items():
                table[row, column[name]] = amount
        wanted = np.array([is_true for _, is_true in rows], float)
        pulled = np.array([0.01 if name == "always" else pull for name in names])
        meant = np.array([MEANT.get((kind, name), 0.0) for name in names])
        weights = fit_weights(table, wanted, meant, pulled)
        fitted[kind] = dict(zip(names, weights.tolist(), strict=True))
    return fitted


def choose(case: Case, fitted: Mapping[str, Mapping[str, float]]) -> set[str]:
    """Return the issues that the weights choose for a case."""
    evidence = {
        issue: sum(x * fitted[kind_of(issue)].get(name, 0.0) for name, x in signs.items())
        for issue, signs in case.signs.items()
    }
    best = max(sorted(evidence), key=lambda issue: evidence[issue])
    bar = float(np.log(FROM / (1 - FROM)))
    return {issue for issue, each in evidence.items() if each >= bar or issue == best}


def held_out(cases: Sequence[Case], pull: float = PULL) -> list[set[str]]:
    """Return what is chosen for each case by weights fitted without the talks it belongs to."""
    fold = spread_folds([each.talks for each in cases], FOLDS)
    chosen: list[set[str]] = [set() for _ in cases]
    for number in range(FOLDS):
        fitted = fit_kinds([each for each in cases if fold[each.talks] != number], pull)
        for at, case in enumerate(cases):
            if fold[case.talks] == number:
                chosen[at] = choose(case, fitted)
    return chosen


def f1(cases: Sequence[Case], chosen: Sequence[set[str]]) -> float:
    """Return the F1 of the issues over all cases."""
    hits = sum(len(case.issues & each) for case, each in zip(cases, chosen, strict=True))
    named = sum(len(case.issues) + len(each) for case, each in zip(cases, chosen, strict=True))
    return 2 * hits / max(1, named)


def round_weights(fitted: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the weights as the coder reads them: by kind of issue, then by sign, two decimals."""
    signs = sorted({sign for weights in fitted.values() for sign in weights})
    return {kind: {sign: round(fitted[kind].get(sign, 0.0), 2) for sign in signs} for kind in KINDS}


def write_weights(fitted: Mapping[str, Mapping[str, float]]) -> None:
    """Write the weights into cues/issue_weights.csv."""
    weights = round_weights(fitted)
    signs = next(iter(weights.values()))
    rows = [{"sign": s} | {kind: f"{weights[kind][s]:.2f}" for kind in KINDS} for s in signs]
    write_cues("issue_weights.csv", rows)


def main(shared: Path, sets: Sequence[str]) -> None:
    """Fit, print the held-out F1, and write."""
    cases = read_cases(shared / "gold", sets)
    print(f"{len(cases)} signals, held-out F1 of issues {f1(cases, held_out(cases)):.3f}")
    write_weights(fit_kinds(cases))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or SETS)
