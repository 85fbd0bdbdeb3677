"""Beside the second stage: how well the coder does on a gold set, by the set's own scorer.

The gold sets lie in a folder beside the repository, for development only; nothing of them is kept.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from tradegap.coding import code_document, to_json
from tradegap.coding.training import SETS
from tradegap.documents import read_documents
from tradegap.errors import DocumentError
from tradegap.talks import project_root

__all__ = ["run_score"]


def run_score(shared: Path) -> str:
    """Return the scorer's tables for each gold set and for all of them together.

    `shared` is the folder that holds gold/. The signals are left in build/score/.
    """
    gold = shared / "gold"
    present = [name for name in SETS if (gold / f"{name}.jsonl").is_file()]
    if not present:
        return f"{gold}: no gold set there; nothing to score (put dev.jsonl and score.py there)"
    out = project_root() / "build" / "score"
    out.mkdir(parents=True, exist_ok=True)
    tables, lines, signals = [], [], []
    for name in present:
        documents = (gold / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        coded = [line for each in documents if each.strip() for line in code_gold(gold, each)]
        (out / f"{name}.jsonl").write_text("\n".join(coded) + "\n", encoding="utf-8")
        tables.append(f"== {name}\n{table(gold, gold / f'{name}.jsonl', out / f'{name}.jsonl')}")
        lines += documents
        signals += coded
    (out / "all-gold.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (out / "all.jsonl").write_text("\n".join(signals) + "\n", encoding="utf-8")
    tables.append(f"== all\n{table(gold, out / 'all-gold.jsonl', out / 'all.jsonl')}")
    (out / "all-gold.jsonl").unlink()
    return "\n".join(tables)


def code_gold(gold: Path, line: str) -> list[str]:
    """Return the signals of one gold document as JSON lines, coded from its text and date alone."""
    entry = json.loads(line)
    documents, refused = read_documents([gold / entry["file"]], published=entry["pub_date"])
    if refused:
        raise DocumentError(refused)
    return [to_json(row) for document in documents for _, row in code_document(document).iterrows()]


def table(gold: Path, wanted: Path, found: Path) -> str:
    """Return what the gold folder's scorer prints."""
    return run_scorer(gold, wanted, found)


def figures(gold: Path, wanted: Path, found: Path) -> dict[str, float]:
    """Return the figures of the gold folder's scorer by name."""
    read: dict[str, float] = json.loads(run_scorer(gold, wanted, found, "--json"))
    return read


def run_scorer(gold: Path, *arguments: Path | str) -> str:
    command = [sys.executable, str(gold / "score.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def load_scorer(gold: Path) -> ModuleType:
    """Return the gold folder's scorer as a module, for what its --json does not print."""
    spec = importlib.util.spec_from_file_location("gold_scorer", gold / "score.py")
    if spec is None or spec.loader is None:
        raise DocumentError(f"{gold / 'score.py'}: is no Python file; put the sets' scorer there")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    return scorer
