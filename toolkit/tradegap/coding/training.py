"""Beside the second stage: what the coder learns from, as sentences with their signs.

Two sorts of text: documents that the project invented (data/training), and the hand-coded sets that
lie in a folder beside the repository, of which nothing is kept.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tradegap.coding.cues import DIRECTIONS
from tradegap.coding.evidence import mark_sentences, show
from tradegap.coding.parties import Mention, find_mentions
from tradegap.coding.sentences import Sentence, split_sentences
from tradegap.documents import Document, read_documents
from tradegap.errors import DataError

__all__ = [
    "FOLDS",
    "SETS",
    "Example",
    "Gold",
    "fit_weights",
    "gold_sentence",
    "read_gold",
    "read_invented",
    "spread_folds",
    "write_cues",
]

Array = npt.NDArray[np.float64]
FOLDS = 6  # whole talks are held out in as many parts
SETS = ("dev", "dev2", "dev3")
HEADER = re.compile(r"## (?P<slug>[^|]+) \| \d{4}-\d\d-\d\d \| (?P<parties>.+)")
LINE = re.compile(r"-(?: (?P<kind>[TL]))? \| (?P<code>[a-z+:-]+) \| (?P<text>.+)")


@dataclass(frozen=True)
class Example:
    """One sentence to learn from: its signs and the directions that a person gave it."""

    signs: dict[str, float]
    directions: frozenset[str]


@dataclass(frozen=True)
class Gold:
    """One hand-coded document: its own entry, the document, the talks it is held out with.

    `examples` are None for a sentence that the set divides otherwise than we do.
    """

    entry: dict[str, Any]
    document: Document
    talks: str
    examples: tuple[Example | None, ...]
    shown: tuple[dict[str, float], ...]


def read_gold(gold: Path) -> list[Gold]:
    """Return one row per document of the hand-coded sets in a folder."""
    rows = []
    for line in (
        line for name in SETS for line in (gold / f"{name}.jsonl").read_text("utf-8").splitlines()
    ):
        entry = json.loads(line)
        documents, _ = read_documents([gold / entry["file"]], published=entry["pub_date"])
        sentences = split_sentences(documents[0].text, documents[0].blocks)
        mentions = find_mentions(documents[0].text)
        shown = show(sentences, mark_sentences(documents[0].text, sentences, mentions))
        said: dict[int, set[str]] = {}
        for signal in entry["signals"]:
            if signal["scope"] == "between" and signal["direction"] in DIRECTIONS:
                said.setdefault(signal["sentence"], set()).add(signal["direction"])
        examples = []
        for sentence, signs in zip(sentences, shown, strict=True):
            place = gold_sentence(entry["sentences"], sentence.start, sentence.end)
            known = frozenset(said.get(place, ())) if place is not None else None
            examples.append(None if known is None else Example(signs, known))
        talks = ";".join(sorted(entry["talks"] or [entry["doc_id"]]))
        rows.append(Gold(entry, documents[0], talks, tuple(examples), tuple(shown)))
    return rows


def gold_sentence(spans: Sequence[Sequence[int]], start: int, end: int) -> int | None:
    """Return the number of the gold sentence that a span is; None where gold takes several as one.

    >>> gold_sentence([[0, 10], [11, 60]], 0, 10), gold_sentence([[0, 60]], 0, 10)
    (0, None)
    """
    overlaps = [min(end, last) - max(start, first) for first, last in spans]
    best = max(range(len(spans)), key=lambda number: overlaps[number])
    length = spans[best][1] - spans[best][0]
    return best if overlaps[best] > 0 and length <= 1.6 * (end - start) else None


def read_invented(folder: Path) -> list[Example]:
    """Return one row per sentence of the invented documents in a folder.

    Raises DataError naming file and line of what is not in the form of its README.md.
    """
    examples = []
    for path in sorted(folder.glob("*.txt")):
        for parties, lines in divide(path):
            examples += read_document(parties, lines)
    return examples


def divide(path: Path) -> Iterator[tuple[str, list[tuple[str, str, str, int]]]]:
    """Yield one (parties, lines) per document; a line is (kind, code, text, paragraph)."""
    parties, paragraph = "", 0
    lines: list[tuple[str, str, str, int]] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        header, coded = HEADER.fullmatch(line), LINE.fullmatch(line)
        if header:
            if lines:
                yield parties, lines
            parties, lines, paragraph = header["parties"], [], 0
        elif coded and parties:
            lines.append((coded["kind"] or "", coded["code"], coded["text"], paragraph))
        elif line.strip():
            raise DataError(
                f"{path}:line {number}: found '{line[:60]}'; it takes '## slug | date | parties'"
                " or '- | code | sentence'"
            )
        else:
            paragraph += 1
    if lines:
        yield parties, lines


def read_document(parties: str, lines: Sequence[tuple[str, str, str, int]]) -> list[Example]:
    """Return one row per sentence of one invented document.

    >>> [each.directions for each in read_document("Norland ; Sudria", [
    ...     ("T", "open", "Norland and Sudria remain apart", 0), ("", "-", "It rained.", 1)])]
    [frozenset({'open'}), frozenset()]
    """
    names = {
        form: f"P{number}"
        for number, party in enumerate(parties.split(";"))
        for name in party.split(",")
        if name.strip()
        for form in (name.strip(), name.strip().upper())
    }
    text = ""
    sentences: list[Sentence] = []
    wanted: list[frozenset[str]] = []
    for number, (kind, code, words, paragraph) in enumerate(lines):
        said = words if kind != "L" or words.startswith(("-", "•", "*")) else f"- {words}"
        if sentences:
            text += "\n" if kind or paragraph != sentences[-1].paragraph else " "
        before = text.rpartition("\n")[2]
        is_quoted = before.count("“") > before.count("”") or before.count('"') % 2 == 1
        start, text = len(text), text + said
        title = "title" if kind == "T" or number == 0 else "text"
        sentences.append(Sentence(start, len(text), said, title, paragraph, is_quoted))
        wanted.append(frozenset(() if ":" in code else set(code.split("+")) & set(DIRECTIONS)))
    longest = "|".join(re.escape(name) for name in sorted(names, key=lambda n: (-len(n), n)))
    found = re.finditer(rf"(?<![\w.@])(?:{longest})(?!\w)", text)
    mentions = [Mention(each.start(), each.end(), names[each.group()]) for each in found]
    shown = show(sentences, mark_sentences(text, sentences, mentions))
    return [Example(signs, known) for signs, known in zip(shown, wanted, strict=True)]


def fit_weights(signs: Array, wanted: Array, meant: Array, pull: Array) -> Array:
    """Return the weights of one logistic regression, pulled to what is `meant` (Newton)."""
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


def spread_folds(talks: Sequence[str], count: int) -> dict[str, int]:
    """Return the fold of each of some talks, given once per sentence: folds of about one length.

    >>> sorted(spread_folds(["a", "a", "b", "c"], 2).values())
    [0, 1, 1]
    """
    sizes = Counter(talks)
    names = sorted(sizes)
    random.Random(1).shuffle(names)
    load, fold = [0] * count, {}
    for name in sorted(names, key=lambda each: -sizes[each]):
        fold[name] = load.index(min(load))
        load[fold[name]] += sizes[name]
    return fold


def write_cues(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a cue file anew, with the columns of its first row."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    Path(str(files("tradegap") / "cues" / name)).write_text(out.getvalue(), encoding="utf-8")
