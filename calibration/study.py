"""`make calibrate`: holds the bands and the errors of the gap index against simulated talks.

Every method reads the same draws. Writes data/calibration/study.csv, which a page shows. The
model's constants were chosen on other seeds (CHOSEN_ON); this one is for the report alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
import rivals
import simulate

from tradegap.gaps.evidence import weigh_signals
from tradegap.gaps.model import read_belief
from tradegap.gaps.series import believe, days_of
from tradegap.gaps.whole import combine_gaps
from tradegap.tables import conform
from tradegap.trial import RIVALS, SCENARIOS

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261124
CHOSEN_ON = (1, 11, 31, 41)
SHARES = (0.05, 0.25, 0.75, 0.95)
ORACLE_PATHS = 6000
ORACLE_EVERY = 4  # of so many draws, one is given to the oracle, which is slow


def coders() -> dict[str, simulate.Coder | simulate.Reviewer]:
    """Return who codes: the program, as it was measured, or a person who decides on all."""
    scores = json.loads((ROOT / "data" / "training" / "scores.json").read_text(encoding="utf-8"))
    return {"program": simulate.Coder(scores["confusion"]), "person": simulate.Reviewer()}


def judge(truth: np.ndarray, mean: np.ndarray, ends: dict[int, tuple]) -> dict[str, float]:
    """Return squared error, and for each band how much of the time it holds the truth."""
    result = {"square": float(((mean - truth) ** 2).mean())}
    for percent, (low, high) in ends.items():
        result[f"covers_{percent}"] = float(((truth >= low) & (truth <= high)).mean())
        result[f"width_{percent}"] = float((high - low).mean())
    return result


def run_cell(task: tuple[tuple[str, str, str, str], int, int, int]) -> list[dict[str, object]]:
    """Return one row per draw and method of one cell of scenarios."""
    (kind, reporting, outlets, coding), number, draws, seed = task
    coder = coders()[coding]
    cell = {"path": kind, "reporting": reporting, "outlets": outlets, "coding": coding}
    library = rivals.draw_library(np.random.default_rng([seed, number]), kind, ORACLE_PATHS)
    rows = []
    for turn in range(draws):
        rng = np.random.default_rng([seed, number, turn])
        draw = simulate.draw(rng, kind, reporting, outlets, coder)
        about = cell | {"draw": turn}
        for method, result in judge_draw(draw, outlets, coder, library, turn).items():
            rows.append(about | {"method": method} | result)
    return rows


def judge_draw(
    draw: simulate.Draw,
    outlets: str,
    coder: simulate.Coder | simulate.Reviewer,
    library: np.ndarray,
    turn: int,
) -> dict[str, dict[str, float]]:
    """Return the judgement of each method on one draw."""
    talks, truth = draw.negotiation, draw.truth
    count = truth.shape[1]
    evidence = weigh_signals(draw.signals, talks)
    days = days_of(draw.signals, talks, None)
    found, bands = {}, {}
    for view, name in (("hindsight", "model, with hindsight"), ("then", "model")):
        read = read_belief(believe(evidence, talks, days, view), SHARES)
        mean, low, lower, upper, high = (each[:, :count] for each in read)
        found[name] = judge(truth, mean, {90: (low, high), 50: (lower, upper)})
        bands[name] = mean, low, high
    said = {90: (read[1][:, count], read[4][:, count]), 50: (read[2][:, count], read[3][:, count])}
    found["model, said of the whole"] = judge(truth.mean(axis=1), read[0][:, count], said)
    found["model, talks as a whole"] = judge_whole(talks, days, truth, bands["model"])
    own = evidence.query("said_of == issue_id and weight > 0")
    told = [own[own["issue_id"] == issue] for issue in simulate.ISSUES]
    for name in RIVALS:
        read = [
            rivals.READ[name](
                (each["known_on"] - days[0]).dt.days.to_numpy(),
                each["direction"].map(rivals.SCALE).to_numpy(dtype=float),
            )
            for each in told
        ]
        mean, half = (np.stack(column, axis=1) for column in zip(*read, strict=True))
        ends = {90: (mean - half, mean + half)}
        ends[50] = mean - half * 0.41, mean + half * 0.41
        found[name] = judge(truth, mean, ends)
    if turn % ORACLE_EVERY == 0:
        best, size = rivals.oracle(draw, "autos", outlets, coder.hears(), library)
        at = simulate.ISSUES.index("autos")
        found["oracle"] = judge(truth[:, at], best, {}) | {"paths": size}
        found["model, beside the oracle"] = judge(truth[:, at], bands["model"][0][:, at], {})
    return found


def judge_whole(talks: object, days: pd.DatetimeIndex, truth: np.ndarray, band: tuple) -> dict:
    """Return the judgement of the equally weighted gap of the talks as a whole."""
    names = list(simulate.ISSUES)
    columns = ("gap", "gap_low", "gap_high")
    gaps = pd.DataFrame({name: each.T.ravel() for name, each in zip(columns, band, strict=True)})
    gaps["issue_id"] = np.repeat(names, len(days))
    gaps["on"] = np.tile(days.to_numpy(), len(names))
    gaps["view"], gaps["status"] = "then", "negotiated"
    whole = combine_gaps(gaps, talks)  # type: ignore[arg-type]
    whole = whole[whole["weighting"] == "equal"].sort_values("on")
    low, high = whole["gap_low"].to_numpy(), whole["gap_high"].to_numpy()
    return judge(truth.mean(axis=1), whole["gap"].to_numpy(), {90: (low, high)})


def summarise(rows: pd.DataFrame, *, seed: int, on: str) -> pd.DataFrame:
    """Return one row per scenario and method."""
    rows = rows.assign(
        all="all", cell=rows[["path", "reporting", "outlets"]].agg(", ".join, axis=1)
    )
    frames = []
    for kind in ("all", *SCENARIOS, "cell"):
        grouped = rows.groupby([kind, "method"], as_index=False).agg(
            negotiations=("draw", "size"),
            covers_90=("covers_90", "mean"),
            covers_50=("covers_50", "mean"),
            width_90=("width_90", "mean"),
            square=("square", "mean"),
        )
        frames.append(grouped.rename(columns={kind: "scenario"}).assign(kind=kind))
    table = pd.concat(frames, ignore_index=True)
    table["rmse"] = table.pop("square") ** 0.5
    numbers = ["covers_90", "covers_50", "width_90", "rmse"]
    table[numbers] = table[numbers].round(4)
    return conform(table.assign(seed=seed, run_on=on), "calibration")


def main(arguments: list[str] | None = None) -> None:
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=8, help="negotiations a cell (three issues)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "calibration" / "study.csv")
    options = parser.parse_args(arguments)
    cells = product(simulate.PATHS, simulate.REPORTING, simulate.OUTLETS, ("program", "person"))
    tasks = [(cell, number, options.draws, options.seed) for number, cell in enumerate(cells)]
    with get_context("fork").Pool(os.cpu_count()) as pool:
        rows = [row for found in pool.imap(run_cell, tasks) for row in found]
    today = datetime.now(tz=UTC).date().isoformat()
    table = summarise(pd.DataFrame(rows), seed=options.seed, on=today)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out, index=False, lineterminator="\n")
    shown = table[table["kind"] != "cell"]
    print(shown.drop(columns=["seed", "run_on"]).to_string(index=False))


if __name__ == "__main__":
    main()
