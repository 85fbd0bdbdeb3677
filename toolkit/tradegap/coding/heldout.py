"""Beside the second stage: what the scorer says of signals on talks held out, as a file.

data/training/scores.json is written here, when the sets lie beside the repository, and read by
`tradegap audit` and the audit page, which need no set. Intervals hold 90 % of the values on whole
talks resampled: sentences of one negotiation are alike, and a reader's negotiation is a new one.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tradegap.coding.agreement import (
    VALUES,
    bootstrap,
    compute_alpha,
    count_pairs,
    pair_directions,
)
from tradegap.coding.cues import DIRECTIONS
from tradegap.coding.score import figures, load_scorer, table
from tradegap.coding.training import SETS, Gold
from tradegap.tables import read_table
from tradegap.talks import project_root

__all__ = ["write_scores"]

Array = npt.NDArray[np.float64]
ALONE = "hard negatives left alone"
# Each row of the scorer, and what of it is held out: weights, fitted without the talks that are
# scored, or nothing, since rules decide alone. Who wrote the rules had read the sets.
ROWS = dict.fromkeys(
    ("signal", *DIRECTIONS, "issues", "pace", "forward", "forward date", ALONE), "weights"
)
ROWS |= dict.fromkeys(("talks", "speaker", "party"), "nothing")
NAMES = list(ROWS)
BIN = 0.1


@dataclass(frozen=True)
class Coded:
    """One sentence of a set: its document's hash, its number (-1: in none), both codings."""

    sha256: str
    number: int
    talks: str
    gold: frozenset[str]
    coded: frozenset[str]

    @property
    def error(self) -> str:
        """What is wrong with the coding: a miss, a false alarm, another direction, or nothing."""
        if self.gold == self.coded:
            return ""
        if not self.coded:
            return "miss"
        return "wrong direction" if self.gold else "false alarm"


def write_scores(
    folder: Path,
    gold: Sequence[Gold],
    lines: Sequence[str],
    said: Array,
    chances: Array,
    wanted: Array,
) -> str:
    """Write data/training/scores.json; return the scorer's table and the reliability in words.

    `lines` are the held-out signals as JSON, `said` the chance of any signal in each sentence;
    `chances` and `wanted` what the coder said of each sentence and direction, and what is so.
    """
    out = project_root() / "build" / "score"
    out.mkdir(parents=True, exist_ok=True)
    sets = "".join(
        (folder / f"{name}.jsonl").read_text("utf-8").rstrip("\n") + "\n" for name in SETS
    )
    (out / "gold.jsonl").write_text(sets, encoding="utf-8")
    (out / "held-out.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = defaultdict(list)
    for line in lines:
        signal = json.loads(line)
        found[Path(signal["document"]).name.removesuffix(".txt")].append(signal)
    scorer = load_scorer(folder)
    counts, sentences = count_talks(scorer, gold, found), list_sentences(scorer, gold, found)
    pairs = pair_talks(sentences)
    errors = Counter(each.error for each in sentences)
    reliability = find_reliability(said, wanted.max(axis=1))
    scores = {
        "what": "talks held out in six folds; weights, curves and thresholds from the other five",
        "scored_on": str(date.today()),
        "gold_sha256": sha256(sets.encode()).hexdigest(),
        "figures": figures(folder, out / "gold.jsonl", out / "held-out.jsonl"),
        "documents": len(gold),
        "talks": len(counts),
        "largest": max(Counter(each.talks for each in gold).values()),
        "sentences": len(sentences),
        "two_directions": sum(len(each.gold) > 1 for each in sentences),
        "misses": errors["miss"],
        "false_alarms": errors["false alarm"],
        "wrong_directions": errors["wrong direction"],
        "rows": list_rows(counts),
        "confusion": list_confusion(pairs.sum(axis=0)),
        "agreement": list_agreement(counts, pairs),
        "reliability": reliability,
        "reliability_by_direction": [
            {"direction": name} | row
            for at, name in enumerate(DIRECTIONS)
            for row in find_reliability(chances[:, at], wanted[:, at])
        ],
        "read_errors": count_read(sentences),
    }
    written = json.dumps(scores, indent=1, ensure_ascii=False) + "\n"
    (project_root() / "data" / "training" / "scores.json").write_text(written, encoding="utf-8")
    curve = "\n".join(
        f"{row['chance_from']:.1f}  n {row['sentences']:5}  said {row['mean_chance']:.2f}"
        f"  true {row['share_signals']:.2f}"
        for row in reliability
    )
    return (
        f"{table(folder, out / 'gold.jsonl', out / 'held-out.jsonl')}\nchance of a signal\n{curve}"
    )


def count_talks(
    scorer: Any, gold: Sequence[Gold], found: Mapping[str, list[dict[str, Any]]]
) -> Array:
    """Return hits, false alarms and misses of the scorer's rows (talks × rows × 3)."""
    names = sorted({each.talks for each in gold})
    counts = np.zeros((len(names), len(NAMES), 3))
    for each in gold:
        document = each.entry["doc_id"]
        rows = scorer.score([each.entry], {document: found.get(document, [])})
        for name, row in rows.items():
            at = names.index(each.talks), NAMES.index(name)
            counts[at] += (row.hit, row.false, row.missed)
    return counts


def list_sentences(
    scorer: Any, gold: Sequence[Gold], found: Mapping[str, list[dict[str, Any]]]
) -> list[Coded]:
    """Return one row per sentence of the sets, with the directions of both codings."""
    rows = []
    for each in gold:
        told = scorer.by_sentence(each.entry, each.entry["signals"])
        coded = scorer.by_sentence(each.entry, found.get(each.entry["doc_id"], []))
        outside = [-1] if coded.get(-1) else []
        for number in (*outside, *range(len(each.entry["sentences"]))):
            both = [frozenset(scorer.directions(by.get(number, []))) for by in (told, coded)]
            rows.append(Coded(each.entry["sha256"], number, each.talks, *both))
    return rows


def pair_talks(sentences: Sequence[Coded]) -> Array:
    """Return the confusion matrix of each talks (talks × 5 × 5), talks in alphabetical order."""
    names = sorted({each.talks for each in sentences})
    pairs = np.zeros((len(names), len(VALUES), len(VALUES)))
    for each in sentences:
        pairs[names.index(each.talks)] += count_pairs(pair_directions(each.gold, each.coded))
    return pairs


def count_read(sentences: Sequence[Coded]) -> list[dict[str, Any]]:
    """Return one row per kind of the errors that a person read: how many, how many still stand."""
    read = read_table(project_root() / "data" / "training" / "errors.csv", "read_errors")
    standing = {(each.sha256, each.number): each.error for each in sentences}
    rows = []
    for (error, kind), own in read.groupby(["error", "kind"]):
        places = zip(own["sha256"], own["sentence"], strict=True)
        still = sum(standing.get(place) == error for place in places)
        rows.append({"error": error, "kind": kind, "read": len(own), "standing": still})
    return rows


def measure_rows(counts: Array) -> Array:
    """Return F1 a row (of the documents to be left alone: recall), and last the macro-F1."""
    hit, false, missed = counts[:, 0], counts[:, 1], counts[:, 2]
    values = 2 * hit / np.maximum(1, 2 * hit + false + missed)
    alone = NAMES.index(ALONE)
    values[alone] = hit[alone] / max(1, hit[alone] + missed[alone])
    return np.append(values, np.mean([values[NAMES.index(name)] for name in DIRECTIONS]))


def list_rows(counts: Array) -> list[dict[str, Any]]:
    """Return one row per row of the scorer: its measures, the interval, how many were to find."""
    total = counts.sum(axis=0)
    values = measure_rows(total)
    low, high = bootstrap(counts, measure_rows)
    rows = []
    for at, name in enumerate(NAMES):
        hit, false, missed = total[at]
        is_f1 = name != ALONE
        rows.append(
            {
                "row": name,
                "f1": round(values[at], 4) if is_f1 else None,
                "precision": round(hit / max(1, hit + false), 4) if is_f1 else None,
                "recall": round(hit / max(1, hit + missed), 4),
                "low": round(low[at], 4),
                "high": round(high[at], 4),
                "n": int(hit + missed),
                "held_out": ROWS[name],
            }
        )
    macro = {"row": "direction macro-F1", "f1": round(values[-1], 4), "precision": None}
    spread = {"recall": None, "low": round(low[-1], 4), "high": round(high[-1], 4)}
    directions = [row["n"] for row in rows if row["row"] in DIRECTIONS]
    return [*rows, macro | spread | {"n": sum(directions), "held_out": "weights"}]


def list_confusion(pairs: Array) -> list[dict[str, Any]]:
    """Return one row per gold value and coded value: how many pairs of a sentence's directions."""
    return [
        {"gold": gold, "coded": coded, "sentences": int(pairs[row, column])}
        for row, gold in enumerate(VALUES)
        for column, coded in enumerate(VALUES)
    ]


def list_agreement(counts: Array, pairs: Array) -> list[dict[str, Any]]:
    """Return one row per question asked of both codings: alpha, its interval, the units."""
    hit, false, missed = np.moveaxis(counts[:, NAMES.index("signal")], 1, 0)
    silent = pairs[:, -1, -1]
    signals = np.array([[hit, missed], [false, silent]]).transpose(2, 0, 1)
    rows = []
    for what, parts, is_ordinal in (
        ("signal or silent", signals, False),
        ("direction, where both have one", pairs[:, :-1, :-1], True),
        ("direction or silent", pairs, False),
    ):
        alpha = partial(agree, is_ordinal=is_ordinal)
        low, high = bootstrap(parts, alpha)
        rows.append(
            {
                "what": what,
                "scale": "ordinal" if is_ordinal else "nominal",
                "alpha": round(alpha(parts.sum(axis=0)), 4),
                "low": round(float(low), 4),
                "high": round(float(high), 4),
                "units": int(parts.sum()),
            }
        )
    return rows


def agree(confusion: Array, *, is_ordinal: bool) -> float:
    """Return the alpha of two coders from their confusion matrix."""
    return compute_alpha(confusion + confusion.T, is_ordinal=is_ordinal)


def find_reliability(chances: Array, true: Array) -> list[dict[str, Any]]:
    """Return one row per tenth of the chance that has sentences: what was said, what was so."""
    rows = []
    for low in np.arange(0, 1, BIN).round(1):
        inside = (chances >= low) & (chances < low + BIN)
        if inside.any():
            rows.append(
                {
                    "chance_from": float(low),
                    "sentences": int(inside.sum()),
                    "mean_chance": round(float(chances[inside].mean()), 3),
                    "share_signals": round(float(true[inside].mean()), 3),
                }
            )
    return rows
