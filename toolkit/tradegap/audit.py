"""Beside the flow: what is known of the coder's reliability, in one hand.

All of it comes from data/training/scores.json, which `make train` writes when the hand-coded sets
lie beside the repository; to read it none is needed. The errors worth reading are described in our
own words, each with an invented sentence that is coded anew here: nothing of the sets is kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from tradegap.coding import code_document
from tradegap.coding.claims import BUILT_IN
from tradegap.documents import Block, Document
from tradegap.errors import DataError
from tradegap.tables import conform, declared_tables, read_table
from tradegap.talks import project_root

__all__ = ["Audit", "open_audit", "render_audit", "tabulate_audit"]

FEW = 30  # a tenth of the chance with fewer sentences says little
VALUES = ("closed", "narrowing", "open", "widening", "silent")


@dataclass(frozen=True)
class Audit:
    """The coder's reliability; frames are those of the declared tables of these names.

    `errors` has one row per kind of error: `error_kinds` and `error_counts` joined, with what the
    coder makes of the invented example today (`coded`, `confidence`); `readers` sorted them.
    """

    scores: pd.Series[Any]
    rows: pd.DataFrame
    confusion: pd.DataFrame
    reliability: pd.DataFrame
    agreement: pd.DataFrame
    errors: pd.DataFrame
    readers: str

    def row(self, name: str) -> Any:
        """Return one row of the scorer's table."""
        return self.rows.set_index("row").loc[name]

    def right_directions(self, *, both: bool) -> float:
        """Share of the coder's directions that are right; `both`: of those where the sets have one.

        A false alarm has no right direction.
        """
        given = self.confusion[self.confusion["coded"] != "silent"]
        if both:
            given = given[given["gold"] != "silent"]
        right = given.loc[given["gold"] == given["coded"], "sentences"].sum()
        return float(right / given["sentences"].sum())

    @property
    def largest_slip(self) -> pd.Series[Any]:
        """The tenth, of any or one direction, in which chance and truth are furthest apart."""
        enough = self.reliability[self.reliability["sentences"] >= FEW]
        apart = (enough["mean_chance"] - enough["share_signals"]).abs()
        return enough.loc[apart.idxmax()]


def open_audit(coder: str = BUILT_IN) -> Audit:
    """Return what is known of a coder's reliability.

    Only the built-in coder has scores. Raises DataError naming the file and what is wrong with it.
    """
    if coder != BUILT_IN:
        raise DataError(f"coder: found '{coder}'; only {BUILT_IN}, the built-in coder, has scores")
    folder = project_root() / "data" / "training"
    path = folder / "scores.json"
    content = read_scores(path)
    overall = [{"direction": "any"} | row for row in listed(content, "reliability", path)]
    by_direction = listed(content, "reliability_by_direction", path)
    return Audit(
        scores=take([content], "scores", path).iloc[0],
        rows=take(listed(content, "rows", path), "score_rows", path),
        confusion=take(listed(content, "confusion", path), "confusion", path),
        reliability=take([*overall, *by_direction], "reliability", path),
        agreement=take(listed(content, "agreement", path), "agreement", path),
        errors=describe_errors(
            take(listed(content, "read_errors", path), "error_counts", path),
            read_table(folder / "error_kinds.csv", "error_kinds"),
        ),
        readers=" and ".join(
            sorted(set(read_table(folder / "errors.csv", "read_errors")["read_by"]))
        ),
    )


def describe_errors(counts: pd.DataFrame, kinds: pd.DataFrame) -> pd.DataFrame:
    """Return one row per kind of error, the commonest first, with its example coded now."""
    coded = [code_example(row.before, row.example) for row in kinds.itertuples()]
    described = kinds.assign(
        coded=[direction for direction, _ in coded],
        confidence=[confidence for _, confidence in coded],
    )
    joined = described.merge(counts, on=["error", "kind"], how="right")
    if unknown := sorted(joined.loc[joined["name"].isna(), "kind"]):
        raise DataError(
            f"data/training/error_kinds.csv: has no row for the kind {', '.join(unknown)} of"
            " scores.json; describe it, with an invented sentence"
        )
    return joined.sort_values(["error", "read"], ascending=False, kind="stable", ignore_index=True)


def read_scores(path: Path) -> dict[str, Any]:
    """Return the content of a scores.json."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; make train writes it") from None
    except (ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read ({reason}); make train writes it anew") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: found no keys; make train writes it anew")
    return content


def listed(content: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    """Return the rows under a key of scores.json."""
    rows = content.get(key)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: '{key}' holds no rows; make train writes it anew")
    return rows


def take(rows: Sequence[dict[str, Any]], name: str, path: Path) -> pd.DataFrame:
    """Return rows of scores.json as the declared table; extra keys are left out."""
    for number, row in enumerate(rows, start=1):
        for field in declared_tables()[name].fields:
            value = row.get(field.name)
            if fault := field.fault("" if value is None else str(value)):
                where = f"{path}: table {name}, row {number}: '{field.name}'"
                raise DataError(f"{where} {fault}; make train writes it anew")
    try:
        return conform(pd.DataFrame(list(rows)), name)
    except DataError as error:
        raise DataError(f"{path}: {error}; make train writes it anew") from None


def code_example(before: str, example: str) -> tuple[str, float]:
    """Return the surest direction that the coder gives an invented sentence now, and its chance.

    >>> code_example("", "The two sides remain far apart on cheese.")[0]
    'open'
    >>> code_example("The ministers met.", "It rained.")
    ('silent', 0.0)
    """
    start = len(before) + 2 if before else 0
    text = f"{before}\n\n{example}" if before else example
    kind = "list" if example.startswith("- ") else "text" if before else "title"
    blocks = [Block(start, len(text), kind)]
    if before:
        blocks.insert(0, Block(0, len(before), "text"))
    digest = sha256(text.encode()).hexdigest()
    document = Document("invented", digest, text, date(2026, 1, 5), "record", blocks=tuple(blocks))
    signals = code_document(document)
    own = signals[(signals["start"] >= start) & (signals["direction"] != "none")]
    if own.empty:
        return "silent", 0.0
    surest = own.loc[own["confidence"].idxmax()]
    return str(surest["direction"]), float(surest["confidence"])


def tabulate_audit(audit: Audit) -> pd.DataFrame:
    """Return one row per figure of the audit: table, what it is of, its value, its interval, n."""
    rows = audit.rows.melt(
        id_vars=["row", "low", "high", "n"],
        value_vars=["f1", "precision", "recall"],
        var_name="measure",
        value_name="value",
    ).dropna(subset="value")
    # The interval is of F1, or of recall where there is no F1.
    first = rows["measure"].eq("f1") | ~rows["row"].isin(rows.loc[rows["measure"] == "f1", "row"])
    scored = rows.assign(table="scores", of=rows["row"])
    scored.loc[~first, ["low", "high"]] = None
    pairs = audit.confusion.assign(
        table="confusion",
        of=audit.confusion["gold"] + " coded " + audit.confusion["coded"],
        measure="sentences",
        value=audit.confusion["sentences"],
    )
    tenths = audit.reliability.melt(
        id_vars=["direction", "chance_from", "sentences"],
        value_vars=["mean_chance", "share_signals"],
        var_name="measure",
    )
    tenths = tenths.assign(
        table="reliability",
        of=tenths["direction"] + " from " + tenths["chance_from"].map("{:.1f}".format),
        n=tenths["sentences"],
    )
    alphas = audit.agreement.assign(
        table="agreement",
        of=audit.agreement["what"],
        measure="alpha, " + audit.agreement["scale"],
        value=audit.agreement["alpha"],
        n=audit.agreement["units"],
    )
    kinds = audit.errors.assign(
        table="errors read",
        of=audit.errors["error"] + ": " + audit.errors["name"],
        measure="sentences",
        value=audit.errors["read"],
    )
    columns = ["table", "of", "measure", "value", "low", "high", "n"]
    parts = [each.reindex(columns=columns) for each in (scored, pairs, tenths, alphas, kinds)]
    figures = pd.concat([each.astype("object") for each in parts], ignore_index=True)
    return figures.astype({"value": float, "low": float, "high": float, "n": "Int64"})


def sum_up(audit: Audit) -> str:
    """Return how reliable the coder is, in a sentence for a reader who is no statistician."""
    signal = audit.row("signal")
    return (
        f"Of ten sentences in which the program finds a signal, about"
        f" {number_word(10 * signal['precision'])} have one, and of ten that have one it finds"
        f" about {number_word(10 * signal['recall'])}; where both find one, the direction is the"
        f" same in {100 * audit.right_directions(both=True):.0f} of 100 cases, and of all"
        f" directions that it gives, {100 * audit.right_directions(both=False):.0f} of 100 are"
        " right."
    )


def number_word(amount: float) -> str:
    """Return a number up to ten as a word.

    >>> number_word(6.58)
    'seven'
    """
    words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    return words[round(amount)]


def render_audit(audit: Audit) -> str:
    """Return the audit as text for a terminal."""
    rows = audit.rows.set_index("row")
    scored = rows[["f1", "precision", "recall", "low", "high"]].map(
        lambda value: "" if pd.isna(value) else f"{value:.2f}"
    )
    scored = scored.assign(n=rows["n"], held_out=rows["held_out"]).rename_axis(None)
    matrix = audit.confusion.pivot(index="gold", columns="coded", values="sentences")
    matrix = matrix.loc[list(VALUES), list(VALUES)]
    curve = audit.reliability[audit.reliability["direction"] == "any"].drop(columns="direction")
    alphas = audit.agreement.set_index("what").rename_axis(None)
    read = audit.errors[["error", "name", "read", "standing"]]
    return "\n\n".join(
        [
            sum_up(audit),
            "Scores; the 90 % interval is of f1, or of recall where there is no f1\n"
            + scored.to_string(),
            "Sentences by direction in the sets (down) and by the coder (across)\n"
            + matrix.to_string(),
            "Chance that the coder gives of a signal, and share of signals in the sets\n"
            + curve.to_string(index=False),
            "Agreement of coder and sets: Krippendorff's alpha\n" + alphas.round(2).to_string(),
            "Errors that were read and sorted, and how many of them still stand\n"
            + read.to_string(index=False),
            f"Scored on {audit.scores['scored_on'].date()}: {audit.scores['documents']} documents"
            f" on {audit.scores['talks']} talks, SHA-256 {audit.scores['gold_sha256']}.\n"
            f"{audit.scores['what']}.",
        ]
    )
