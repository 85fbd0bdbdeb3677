"""The model: what a report says of the gap, how the gap moves, and exact inference on a grid.

The state of an issue on a day is its gap g (a value of GRID) and its phase: `still`, `closing` or
`parting`. The phase says what happened last: something brought the sides closer, or drove them
apart, in the last weeks or months, and reports go on telling of it. g is the level; the phase is
the change. Every constant stands here; docs/method.md says what it means, and `make calibrate`
holds the bands that come of it against simulated talks.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Vector = npt.NDArray[np.float64]

GRID = np.linspace(0.0, 1.0, 51)
PHASES = ("still", "closing", "parting")
DIRECTIONS = ("closed", "narrowing", "open", "widening")

START_SPREAD = 0.05  # how far below 1 the talks may stand on the day they open
# Standard deviation of the walk at a gap of 0 and of 1, evenly in between: what is nearly settled
# wavers less than what is wide open. 0.03 and 0.11 in a month.
DAILY_STEP = (0.006, 0.020)
TURN = {"closing": 1 / 180, "parting": 1 / 65}  # chance a day of an event that does it
# A setback undoes a little oftener than all: a share f of what can come undone has the density
# (1 - f) ** UNDOES. What brings the sides closer may as well be anything from nothing to all.
UNDOES = 0.5
FADE = 1 / 80  # chance a day that an event is no longer what the news is about

# What the talks are reported as in each phase, before the level has its say.
TOLD = {
    "still": {"narrowing": 0.30, "open": 0.55, "widening": 0.15},
    "closing": {"narrowing": 0.70, "open": 0.28, "widening": 0.02},
    "parting": {"narrowing": 0.10, "open": 0.15, "widening": 0.75},
}
CLOSED_NEAR = 0.18  # the gap within which an issue may be told as closed
CLOSED_SHARE = (0.003, 0.80)  # of all reports: far from 0, and at 0
OPEN_LEAST = 0.13  # how much rarer "open" is at a gap of 0 than at 1
# Standard deviation of the gap about the share of the work that a report counts as left: what was
# settled first was the easier part, and what counts as settled is the counter's choice.
COUNT_ERROR = 0.2

OUTCOME_LEVELS = {
    "agreed": np.exp(-GRID / 0.02),
    "partly agreed": np.exp(-0.5 * ((GRID - 0.25) / 0.12) ** 2),
    "deferred": 0.05 + 0.95 * (1 - np.exp(-GRID / 0.25)),
}
OUTCOME_LEVELS["dropped"] = OUTCOME_LEVELS["broken off"] = OUTCOME_LEVELS["deferred"]
# From such an outcome on the gap no longer walks, nor do reports move it.
SETTLED = ("agreed", "partly agreed")
Settled = dict[int, list[tuple[int, str]]]


def read_confusion() -> dict[str, dict[str, float]]:
    """Return of each coded direction what a wrong coding of it truly was, as shares.

    They are counted on talks held out (`make train`), in data/training/scores.json.

    >>> wrong = read_confusion()["narrowing"]
    >>> round(sum(wrong.values()), 9), max(wrong, key=wrong.get)
    (1.0, 'silent')
    """
    packaged = files("tradegap") / "scores.json"
    here = Path(__file__).resolve().parents[3] / "data" / "training" / "scores.json"
    text = packaged.read_text("utf-8") if packaged.is_file() else here.read_text("utf-8")
    counts: dict[str, dict[str, float]] = {each: {} for each in DIRECTIONS}
    for row in json.loads(text)["confusion"]:
        if row["coded"] in counts and row["gold"] != row["coded"]:
            counts[row["coded"]][row["gold"]] = row["sentences"] + 1.0
    return {
        coded: {gold: count / sum(wrong.values()) for gold, count in wrong.items()}
        for coded, wrong in counts.items()
    }


def tell(lean: float = 0.0) -> Vector:
    """Return the chance of each direction (axis 0) in each phase and at each gap (axes 1, 2).

    A source that leans to hope by so many log-odds reports hopefully that much oftener.
    """
    closed = CLOSED_SHARE[0] + CLOSED_SHARE[1] * np.exp(-((GRID / CLOSED_NEAR) ** 2))
    opened = OPEN_LEAST + (1 - OPEN_LEAST) * GRID
    chances = np.empty((len(DIRECTIONS), len(PHASES), len(GRID)))
    for number, phase in enumerate(PHASES):
        shares = TOLD[phase]
        rest = np.stack(
            [
                np.full(len(GRID), shares["narrowing"]),
                shares["open"] * opened,
                np.full(len(GRID), shares["widening"]),
            ]
        )
        chances[0, number] = closed
        chances[1:, number] = (1 - closed) * rest / rest.sum(axis=0)
    hope = np.array([0.5, 0.5, -0.5, -0.5])[:, None, None]
    chances *= np.exp(lean * hope)
    return np.asarray(chances / chances.sum(axis=0))


@cache
def odds(lean: float = 0.0) -> Vector:
    """Return how much likelier than on the whole each direction is, in each phase, at each gap.

    A last row of ones stands for a sentence that says nothing of the gap after all.
    """
    chances = tell(lean)
    usual = np.array([0.5, 0.25, 0.25])[None, :, None]
    overall = (chances * usual).sum(axis=1).mean(axis=1)
    ratios = chances / overall[:, None, None]
    return np.concatenate([ratios, np.ones((1, *ratios.shape[1:]))])


@cache
def errors() -> Vector:
    """Return one row per coded direction, one column per true one, as in `read_confusion`."""
    wrong = read_confusion()
    return np.array(
        [[wrong[coded].get(gold, 0.0) for gold in (*DIRECTIONS, "silent")] for coded in DIRECTIONS]
    )


@cache
def say(direction: str, chance: float, lean: float, left: float | None = None) -> Vector:
    """Return the log-likelihood of one report, in each phase and at each gap, as one vector.

    A report that counts how much is `left` speaks of the level, whatever its direction.
    """
    coded, ratios = DIRECTIONS.index(direction), odds(lean)
    right = ratios[coded] if left is None else count(left)
    wrong = np.tensordot(errors()[coded], ratios, axes=1)
    return np.asarray(np.log(chance * right + (1 - chance) * wrong).ravel())


def count(left: float) -> Vector:
    """Return how much likelier than on the whole such a count is, in each phase, at each gap."""
    near = np.exp(-0.5 * ((GRID - left) / COUNT_ERROR) ** 2)
    return np.broadcast_to(near / near.mean(), (len(PHASES), len(GRID)))


def walk_matrix() -> Vector:
    """Return a day's random walk on GRID, reflected at 0 and 1; columns sum to 1."""
    after, before = GRID[:, None], GRID[None, :]
    least, most = DAILY_STEP
    size = least + (most - least) * before

    def chance(value: Vector) -> Vector:
        # A step may be smaller than the grid's: each cell gets what falls between its edges.
        half = GRID[1] / 2
        ends = [(value + side - before) / (size * 2**0.5) for side in (-half, half)]
        low, high = (np.vectorize(math.erf)(end) for end in ends)
        return np.asarray((high - low) / 2)

    # A step past an end comes back from it; the ends themselves are not their own mirror image.
    mirrored = chance(-after) * (after > 0) + chance(2 - after) * (after < 1)
    reached = chance(after) + mirrored
    return np.asarray(reached / reached.sum(axis=0))


def closing_matrix(undoes: float = 0.0) -> Vector:
    """Return what an event does that brings the sides closer: anything from nothing to all.

    The gap is then somewhere between 0 and what it was: evenly, or with `undoes` rather near to
    what it was.
    """
    after, before = GRID[:, None], GRID[None, :]
    half = GRID[1] / 2
    left = (after + half) / (before + half)
    reached = np.where(after <= before, left**undoes, 0.0)
    return np.asarray(reached / reached.sum(axis=0))


WALK = walk_matrix()
CLOSING = closing_matrix()
PARTING = closing_matrix(UNDOES)[::-1, ::-1]


def start() -> Vector:
    """Return what is believed on the day the talks open: axis 0 phases, axis 1 gaps."""
    belief = np.zeros((len(PHASES), len(GRID)))
    belief[0] = np.exp((GRID - 1) / START_SPREAD)
    return np.asarray(belief / belief.sum())


def step(belief: Vector) -> Vector:
    """Return a belief a day later; axes are phases, gaps, series."""
    whole = belief.sum(axis=0)
    stay = 1 - sum(TURN.values())
    later = np.empty_like(belief)
    later[0] = WALK @ (stay * (belief[0] + FADE * (belief[1] + belief[2])))
    later[1] = WALK @ (stay * (1 - FADE) * belief[1] + TURN["closing"] * (CLOSING @ whole))
    later[2] = WALK @ (stay * (1 - FADE) * belief[2] + TURN["parting"] * (PARTING @ whole))
    return later


def step_back(message: Vector) -> Vector:
    """Return what a day's message says of the day before: the transpose of `step`."""
    still, closing, parting = (WALK.T @ each for each in message)
    stay = 1 - sum(TURN.values())
    turned = TURN["closing"] * (CLOSING.T @ closing) + TURN["parting"] * (PARTING.T @ parting)
    earlier = np.empty_like(message)
    earlier[0] = stay * still + turned
    earlier[1] = stay * (FADE * still + (1 - FADE) * closing) + turned
    earlier[2] = stay * (FADE * still + (1 - FADE) * parting) + turned
    return earlier


def filter_days(says: Vector, settled: Settled, before: Vector | None = None) -> Vector:
    """Return what is believed each day from what was said up to it.

    `says` has the log-likelihood of each day's reports; axes are days, phases × gaps, series.
    `settled` has for a day the series that were settled on it, and how. `before` is what was
    believed the day before the first; without it the talks open on the first.
    """
    days, _, series = says.shape
    shape = (len(PHASES), len(GRID), series)
    beliefs = np.empty((days, *shape))
    belief = np.repeat(start()[:, :, None], series, axis=2) if before is None else step(before)
    fixed: dict[int, Vector] = {}
    for day in range(days):
        if day:
            belief = step(belief)
        if says[day].any():
            belief = belief * np.exp(says[day]).reshape(shape)
        for number, outcome in settled.get(day, []):
            fixed[number] = np.outer([1, 0, 0], OUTCOME_LEVELS[outcome])
        for number, level in fixed.items():
            belief[:, :, number] = level
        belief = belief / belief.sum(axis=(0, 1))
        beliefs[day] = belief
    return beliefs


def look_back(says: Vector, settled: Settled, beliefs: Vector) -> Vector:
    """Return what is believed each day from all that was said, given `filter_days` of the same."""
    message = np.ones(beliefs.shape[1:])
    smoothed = beliefs.copy()
    over = {number for known in settled.values() for number, _ in known}
    for day in range(len(says) - 1, 0, -1):
        if says[day].any():
            message = message * np.exp(says[day]).reshape(message.shape)
        message = step_back(message)
        # What was settled says nothing of how far apart the sides were the day before.
        message[:, :, list(over)] = 1.0
        message = message / message.max(axis=(0, 1))
        later = beliefs[day - 1] * message
        smoothed[day - 1] = later / later.sum(axis=(0, 1))
        over -= {number for number, _ in settled.get(day, [])}
    return smoothed


def read_belief(beliefs: Vector, shares: tuple[float, ...]) -> list[Vector]:
    """Return the mean gap of each day and series, and the gap below which each share of it lies."""
    levels = beliefs.sum(axis=1)
    below = np.cumsum(levels, axis=1)
    mean = np.einsum("dgs,g->ds", levels, GRID).clip(0, 1)
    return [mean, *(quantile(below, levels, share) for share in shares)]


def quantile(below: Vector, levels: Vector, share: float) -> Vector:
    """Return the gap below which `share` of each belief lies, evenly within a cell of the grid."""
    at = np.argmax(below >= share - 1e-12, axis=1)[:, None, :]
    here = np.take_along_axis(levels, at, axis=1)[:, 0]
    before = np.take_along_axis(below, at, axis=1)[:, 0] - here
    part = ((share - before) / np.maximum(here, 1e-12)).clip(0, 1)
    size = GRID[1]
    return np.asarray((GRID[at[:, 0]] + (part - 0.5) * size).clip(0, 1))
