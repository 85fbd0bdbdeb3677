"""`make bench`: how fast pages are built, beside papermill and nbconvert on their command lines.

The same notebooks with the same parameters, one side after the other in one run, so that what
counts is the ratio. Every run starts with nothing built and nothing kept; only `bare`, the cells
alone in a process that has imported everything, has the documents coded, as every page of ours but
the first has. The two command-line sides run some of the pages, and their time is scaled to all:
each of their pages costs the same. Processor seconds tell more than seconds on a busy machine.
Prints a table and keeps it in build/bench/.

    python bench/build.py [PAGES]      that many pages (20) in the comparison
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench"
NOTEBOOKS = ROOT / "notebooks"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
COUNTS = (1, 10, 50, 200)
WANTED = {"one after the other": 20.0, "make -j2": 10.0}
MOST_OF_BARE = 2.5
PAGES = 20
SAMPLE = 6  # pages that the command-line sides run
Page = tuple[str, dict[str, str]]

BARE = """
import json, sys, time
from pathlib import Path
from tradegap.workers import warm_up
warm_up()
from tradegap.engine import make_shell
shell = make_shell()
pages = json.loads(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
began = time.perf_counter()
for notebook, parameters in pages:
    for cell in json.loads(Path(notebook).read_text())["cells"]:
        if cell["cell_type"] == "code":
            ok = shell.run_cell("".join(cell["source"])).success
            assert ok, cell["source"]
            if "parameters" in cell["metadata"].get("tags", []):
                shell.user_ns.update(parameters)
print(time.perf_counter() - began, flush=True)
"""


def list_pages(notebook: str, count: int) -> list[Page]:
    """Return so many pages of a notebook, no two the same: days of a negotiation."""
    name = "day" if notebook == "round_brief" else "as_of"
    days = [date(2018, 9, 26) + timedelta(days=n * 450 // count) for n in range(count)]
    return [(notebook, {"talks": "us-japan-2019", name: str(day)}) for day in days]


def processor_seconds() -> float:
    """Return what all processes that have ended used of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def time_commands(every: list[Page], scratch: Path, *, jobs: int) -> float:
    """Return the seconds that the two command lines take, under make where there are jobs."""
    pages = every[:: max(1, len(every) // SAMPLE)][:SAMPLE]
    lines = ["all: " + " ".join(f"{n}.html" for n in range(len(pages)))]
    for number, (notebook, parameters) in enumerate(pages):
        told = " ".join(f"-r {name} {value}" for name, value in parameters.items())
        run = f"{scratch}/{number}.ipynb"
        source = NOTEBOOKS / f"{notebook}.ipynb"
        lines += [
            f"{number}.html:",
            f"\t@{sys.executable} -m papermill {source} {run} {told}"
            f" --cwd {NOTEBOOKS} --no-progress-bar --start-timeout 300",
            f"\t@{sys.executable} -m jupyter nbconvert --to html {run} --output-dir {scratch}",
        ]
    scratch.mkdir(parents=True)
    (scratch / "Makefile").write_text("\n".join(lines) + "\n", encoding="utf-8")
    began = time.perf_counter()
    run_quietly(["make", f"-j{jobs}"], scratch)
    return (time.perf_counter() - began) * len(every) / len(pages)


def run_quietly(command: list[str], folder: Path) -> None:
    """Run a command; stop with what it said where it fails."""
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"bench: {' '.join(command[:3])} failed:\n{ran.stdout[-800:]}{ran.stderr[-2000:]}")


def time_ours(pages: list[Page], scratch: Path) -> tuple[float, float]:
    """Return the seconds that `tradegap build` takes from nothing, and its peak memory in MB."""
    for folder in ("data", "notebooks"):
        shutil.copytree(ROOT / folder, scratch / folder, symlinks=True)
    for number, (notebook, parameters) in enumerate(pages):
        spec = scratch / "reports" / notebook / f"{number}.yml"
        spec.parent.mkdir(parents=True, exist_ok=True)
        head = {"title": str(number), "question": "?", "parameters": parameters}
        spec.write_text(json.dumps(head), encoding="utf-8")
    began = time.perf_counter()
    builder = subprocess.Popen(
        [sys.executable, "-m", "tradegap.cli", "build", "-q"],
        env=os.environ | {"TRADEGAP_ROOT": str(scratch)},
    )
    peak = Peak(builder.pid)
    code = builder.wait()
    seconds = time.perf_counter() - began
    peak.stop()
    if code:
        sys.exit("bench: tradegap build failed; its error is above")
    return seconds, peak.most


class Peak(threading.Thread):
    """The most memory that a process and its children hold together, in MB, each page once."""

    def __init__(self, process: int) -> None:
        """Begin to look at a process."""
        super().__init__(daemon=True)
        self.process, self.most, self.ended = process, 0.0, threading.Event()
        self.start()

    def run(self) -> None:
        """Look ten times a second."""
        while not self.ended.wait(0.1):
            total = 0
            try:
                parent = psutil.Process(self.process)
                for each in (parent, *parent.children(recursive=True)):
                    total += each.memory_full_info().pss
            except (psutil.Error, AttributeError):
                continue
            self.most = max(self.most, total / (1 << 20))

    def stop(self) -> None:
        """Stop looking."""
        self.ended.set()
        self.join()


def time_bare(pages: list[Page], scratch: Path) -> float:
    """Return the seconds that the cells alone take on all cores, everything imported and coded."""
    environment = os.environ | {
        "TRADEGAP_ROOT": str(ROOT),
        "TRADEGAP_SIGNALS": str(scratch / "build" / "signals.sqlite"),
        "OPENBLAS_NUM_THREADS": "1",
        "IPYTHONDIR": str(scratch / "ipython"),
    }
    sides = []
    for core in range(CORES):
        share = [(str(NOTEBOOKS / f"{name}.ipynb"), more) for name, more in pages[core::CORES]]
        sides.append(
            subprocess.Popen(
                [sys.executable, "-c", BARE, json.dumps(share)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
    for side in sides:
        answer(side, "ready")
    for side in sides:
        assert side.stdin is not None
        side.stdin.write("go\n")
        side.stdin.flush()
    took = max(answer(side) for side in sides)
    for side in sides:
        side.wait()
    return took


def answer(side: subprocess.Popen[str], wanted: str = "") -> float:
    """Return the next figure of a side, past what its cells print."""
    assert side.stdout is not None
    for line in side.stdout:
        if wanted and line.strip() == wanted:
            return 0.0
        try:
            return float(line)
        except ValueError:
            continue
    sys.exit("bench: the bare cells ended early")


def compare(notebook: str, count: int, scratch: Path) -> dict[str, Any]:
    """Return the seconds of every side on the same pages of a notebook."""
    pages = list_pages(notebook, count)
    shutil.rmtree(scratch, ignore_errors=True)
    scale = count / min(count, SAMPLE)
    sides: list[tuple[str, Callable[[], float], float]] = [
        ("tradegap build", lambda: time_ours(pages, scratch / "ours")[0], 1),
        ("bare", lambda: time_bare(pages, scratch / "ours"), 1),
        ("make -j2", lambda: time_commands(pages, scratch / "make", jobs=2), scale),
        ("one after the other", lambda: time_commands(pages, scratch / "one", jobs=1), scale),
    ]
    seconds, used = {}, {}
    for side, run, factor in sides:
        before = processor_seconds()
        seconds[side] = run()
        used[side] = (processor_seconds() - before) * factor
    again, _ = time_ours(pages, scratch / "again")
    seconds["tradegap build"] = (seconds["tradegap build"] + again) / 2
    return {"notebook": notebook, "pages": count, "seconds": seconds, "processor": used}


def main(count: int = PAGES) -> None:
    """Measure, print and keep the figures; exit with 1 where they are not what is wanted."""
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{date.today()}, Python {platform.python_version()}, {CORES} cores of"
        f" {platform.machine()}, load {os.getloadavg()[0]:.1f} at the start",
        "",
        f"Command lines: {SAMPLE} pages run, their time scaled to all.",
        "",
        "| notebook, pages | side | seconds | times ours | processor seconds | times ours |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    short, figures = [], []
    for notebook, pages in (("round_brief", count), ("gap_evolution", max(2, count // 10))):
        figures.append(compare(notebook, pages, OUT / "pages"))
        seconds = figures[-1]["seconds"]
        ours = seconds["tradegap build"]
        used = figures[-1]["processor"]
        for side, each in seconds.items():
            cpu = f"{used[side]:.1f} | {used[side] / used['tradegap build']:.2f}"
            timed = f"{each:.1f} | {each / ours:.2f}"
            lines.append(f"| {notebook}, {pages} | {side} | {timed} | {cpu} |")
            print(lines[-1], flush=True)
        if notebook == "round_brief":
            short = [side for side, wanted in WANTED.items() if seconds[side] / ours < wanted]
            short += ["bare"] * (ours > MOST_OF_BARE * seconds["bare"])
    lines += ["", "| pages (round_brief) | seconds | peak memory, MB |", "|---|---|---|"]
    print("\n".join(lines[-3:]), flush=True)
    for each in COUNTS:
        shutil.rmtree(OUT / "pages", ignore_errors=True)
        took, peak = time_ours(list_pages("round_brief", each), OUT / "pages" / "ours")
        lines.append(f"| {each} | {took:.1f} | {peak:.0f} |")
        figures.append({"pages": each, "seconds": took, "peak_mb": peak})
        print(lines[-1], flush=True)
    shutil.rmtree(OUT / "pages", ignore_errors=True)
    (OUT / "build.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (OUT / "build.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if short:
        sys.exit(f"bench: less than what is wanted of the build, beside: {', '.join(short)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
