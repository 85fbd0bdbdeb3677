"""`make bench`: how fast the coder is beside spaCy, and how much memory it takes.

Both sides run the same texts on the same core, in turns, so that whatever else the machine does
meets both; what counts is the ratio within a round, and its median. Memory is the peak of `tradegap
code` itself on a .jsonl of ever more short documents. Prints a table and keeps it in build/bench/.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench"
SPACY = ROOT / "build" / "bench-venv" / "bin" / "python"
ROUNDS = 5
FEWEST = 200  # documents in a round
COUNTS = (1_000, 10_000, 100_000)
WANTED = 10  # times spaCy's speed
FLAT = 1.25  # times the peak of the fewest documents
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def read_texts() -> tuple[str, list[str]]:
    """Return what the texts are, and the texts: the development sets, else our notes repeated."""
    folder = ROOT.parent / "shared" / "gold" / "texts"
    if folder.is_dir():
        paths = sorted(folder.iterdir())
        return "development texts", [path.read_text("utf-8", "replace") for path in paths]
    notes = sorted((ROOT / "data" / "talks").glob("*/notes/*.md"))
    texts = [path.read_text("utf-8").split("---\n", 2)[2] for path in notes]
    return "notes of data/talks, repeated", texts * -(-FEWEST // len(texts))


class Side:
    """One side of the benchmark, in a process of its own."""

    def __init__(self, python: Path, name: str, texts: Path) -> None:
        """Start it and wait until it has loaded and run once."""
        self.process = subprocess.Popen(
            [python, ROOT / "bench" / "worker.py", name, texts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ONE_THREAD,
        )
        self.answer()

    def answer(self) -> str:
        """Return its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench: one side ended early; its error is above")
        return line

    def seconds(self) -> float:
        """Return how long one round takes."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.answer())


def time_sides(texts: list[str]) -> list[tuple[float, float]]:
    """Return (ours, spaCy's) seconds per round, measured in turns."""
    path = OUT / "texts.json"
    path.write_text(json.dumps(texts), encoding="utf-8")
    ours = Side(Path(sys.executable), "tradegap", path)
    theirs = Side(SPACY, "spacy", path)
    return [(ours.seconds(), theirs.seconds()) for _ in range(ROUNDS)]


def short_documents(texts: list[str], count: int) -> Iterator[str]:
    """Yield lines of a .jsonl: documents of a paragraph each, no two the same."""
    parts = [
        part
        for text in texts
        for part in re.split(r"\n\s*\n", text)
        if 80 <= len(part) <= 400 and part.rstrip().endswith(".")
    ]
    for number in range(count):
        words = f"{parts[number % len(parts)].strip()} That was told as note {number}."
        yield json.dumps({"text": words, "published": "2019-08-21"}) + "\n"


def peak_memory(texts: list[str], count: int) -> float:
    """Return the peak of `tradegap code` on so many documents, in MB."""
    path = OUT / f"{count}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(short_documents(texts, count))
    process = subprocess.Popen(
        [sys.executable, "-m", "tradegap.cli", "code", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    path.unlink()
    if os.waitstatus_to_exitcode(status) not in (0, 1):  # 1: some paragraph is not English
        sys.exit(f"bench: `tradegap code` failed on {count} documents")
    return used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Measure, print and keep the figures; exit with 1 where they are not what is wanted."""
    OUT.mkdir(parents=True, exist_ok=True)
    kind, texts = read_texts()
    rounds = time_sides(texts)
    ours, theirs = (statistics.median(len(texts) / each[n] for each in rounds) for n in (0, 1))
    ratios = sorted(spacy / own for own, spacy in rounds)
    least, ratio, most = ratios[0], statistics.median(ratios), ratios[-1]
    size = sum(map(len, texts)) / len(texts)
    lines = [
        f"{date.today()}, Python {platform.python_version()}, one core of {platform.machine()}",
        f"{len(texts)} {kind}, {size:,.0f} characters each on average; {ROUNDS} rounds in turns",
        "",
        "| | documents a second (median) |",
        "|---|---|",
        f"| tradegap: bytes to signals | {ours:.1f} |",
        f"| spaCy, small English model: text to Doc | {theirs:.1f} |",
        f"| ratio within a round (least, median, most) | {least:.1f}, {ratio:.1f}, {most:.1f} |",
        "",
        "| short documents | peak memory of `tradegap code`, MB |",
        "|---|---|",
    ]
    print("\n".join(lines), flush=True)
    peaks = {}
    for count in COUNTS:
        peaks[count] = peak_memory(texts, count)
        lines.append(f"| {count:,} | {peaks[count]:.0f} |")
        print(lines[-1], flush=True)
    (OUT / "result.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    figures = {"ours": ours, "spacy": theirs, "ratios": ratios, "peaks_mb": peaks, "rounds": rounds}
    (OUT / "result.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    is_flat = peaks[COUNTS[-1]] <= FLAT * peaks[COUNTS[0]]
    if ratio < WANTED or not is_flat:
        sys.exit(f"bench: wanted are {WANTED} times spaCy's speed and a peak that stays flat")


if __name__ == "__main__":
    main()
