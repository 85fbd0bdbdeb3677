"""Beside the second stage: what the scorer says of signals on talks held out, as a file.

data/training/scores.json is written here, when the sets lie beside the repository, and read by
`tradegap audit` and the audit page, which need no set. Intervals hold 90 % of the values on whole
talks resampled: sentences of one negotiation are alike, and a reader's negotiation is a new one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
from tradegap.talks import project_root

__all__ = ["write_scores"]

Array = npt.NDArray[np.float64]
ALONE = "hard negatives left alone"
ROWS = (
    *("signal", *DIRECTIONS, "issues", "talks", "speaker", "party"),
    *("pace", "forward", "forward date", ALONE),
)
BIN = 0.1


def write_scores(
    folder: Path, gold: Sequence[Gold], lines: Sequence[str], chances: Array, wanted: Array
) -> str:
    """Write data/training/scores.json; return the scorer's table and the reliability in words.

    `lines` are the held-out signals as JSON, `chances` and `wanted` what the coder said of each
    sentence and direction, and what is so.
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
    counts, pairs = count_talks(scorer, gold, found)
    reliability = find_reliability(chances.sum(axis=1), wanted.max(axis=1))
    scores = {
        "what": "talks held out in six folds; weights, scale and thresholds from the other five",
        "scored_on": str(date.today()),
        "gold_sha256": sha256(sets.encode()).hexdigest(),
        "figures": figures(folder, out / "gold.jsonl", out / "held-out.jsonl"),
        "documents": len(gold),
        "talks": len(counts),
        "rows": list_rows(counts),
        "confusion": list_confusion(pairs.sum(axis=0)),
        "agreement": list_agreement(counts, pairs),
        "reliability": reliability,
        "reliability_by_direction": [
            {"direction": name} | row
            for at, name in enumerate(DIRECTIONS)
            for row in find_reliability(chances[:, at], wanted[:, at])
        ],
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
) -> tuple[Array, Array]:
    """Return hits, false alarms and misses (talks × rows × 3), and pairs (talks × 5 × 5)."""
    names = sorted({each.talks for each in gold})
    counts = np.zeros((len(names), len(ROWS), 3))
    pairs = np.zeros((len(names), len(VALUES), len(VALUES)))
    for each in gold:
        at, own = names.index(each.talks), found.get(each.entry["doc_id"], [])
        for name, row in scorer.score([each.entry], {each.entry["doc_id"]: own}).items():
            counts[at, ROWS.index(name)] += (row.hit, row.false, row.missed)
        told, coded = (
            scorer.by_sentence(each.entry, each.entry["signals"]),
            scorer.by_sentence(each.entry, own),
        )
        for number in range(-1, len(each.entry["sentences"])):
            if number >= 0 or coded.get(number):
                pairs[at] += count_pairs(
                    pair_directions(
                        scorer.directions(told.get(number, [])),
                        scorer.directions(coded.get(number, [])),
                    )
                )
    return counts, pairs


def measure_rows(counts: Array) -> Array:
    """Return F1 a row (of the documents to be left alone: recall), and last the macro-F1."""
    hit, false, missed = counts[:, 0], counts[:, 1], counts[:, 2]
    values = 2 * hit / np.maximum(1, 2 * hit + false + missed)
    alone = ROWS.index(ALONE)
    values[alone] = hit[alone] / max(1, hit[alone] + missed[alone])
    return np.append(values, np.mean([values[ROWS.index(name)] for name in DIRECTIONS]))


def list_rows(counts: Array) -> list[dict[str, Any]]:
    """Return one row per row of the scorer: its measures, the interval, how many were to find."""
    total = counts.sum(axis=0)
    values = measure_rows(total)
    low, high = bootstrap(counts, measure_rows)
    rows = []
    for at, name in enumerate(ROWS):
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
            }
        )
    macro = {"row": "direction macro-F1", "f1": round(values[-1], 4), "precision": None}
    spread = {"recall": None, "low": round(low[-1], 4), "high": round(high[-1], 4)}
    directions = [row["n"] for row in rows if row["row"] in DIRECTIONS]
    return [*rows, macro | spread | {"n": sum(directions)}]


def list_confusion(pairs: Array) -> list[dict[str, Any]]:
    """Return one row per gold value and coded value: how many sentences, or halves of them."""
    return [
        {"gold": gold, "coded": coded, "sentences": int(pairs[row, column])}
        for row, gold in enumerate(VALUES)
        for column, coded in enumerate(VALUES)
    ]


def list_agreement(counts: Array, pairs: Array) -> list[dict[str, Any]]:
    """Return one row per question asked of both codings: alpha, its interval, the units."""
    hit, false, missed = np.moveaxis(counts[:, ROWS.index("signal")], 1, 0)
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
