"""Simulated negotiations: true gaps, what was reported of them, and what the coder made of it.

The simulator shares no formula with the model in `tradegap.gaps`. A true gap is a path drawn by one
of four generators, none of which is the model's (no phases, no moves by a share of what is left).
A report is made from numbers: a perceived level and a perceived change since some day before, both
off by an error of the event and one of the outlet, turned into a word by thresholds. The coder then
loses, confuses and invents signals in the proportions that were counted on talks held out.

Where it favours the model all the same: reports say nothing but the four directions; outlets'
errors do not change in the course of the talks; the coder's errors are independent of everything
else; and talks open far apart, as the model supposes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradegap.tables import conform, empty
from tradegap.talks import Negotiation

Vector = npt.NDArray[np.float64]

DAYS = 300
OPENED_ON = date(2020, 1, 1)
ISSUES = ("agriculture", "autos", "digital")
PATHS = ("walk", "steps", "breakdown", "late collapse")
REPORTING = ("sparse", "bursty")
OUTLETS = ("sound", "noisy", "biased")
DIRECTIONS = ("closed", "narrowing", "open", "widening")
PARTIES = ("Japan", "US")

NEAR = 0.12  # perceived level under which an issue is called closed
MOVED = 0.04  # perceived change that is called narrowing or widening
EVENT_ERROR = (0.08, 0.04)  # of level and change, shared by all reports of an event
OUTLET_ERROR = {"sound": (0.08, 0.04), "noisy": (0.20, 0.10), "biased": (0.08, 0.04)}
RANDOM_WORD = {"sound": 0.02, "noisy": 0.12, "biased": 0.02}
SPIN = 0.03  # how much closer one side makes things sound, and how much further the other
REPRINTED = 0.15
TALKED = 1.5  # events about the talks as a whole for one on an issue; more in the three records
TOGETHER = 0.5  # share of what moves an issue's path that moves the others', too
SURENESS = 3.0  # how concentrated the coder's chances are


NEGOTIATION = Negotiation(
    slug="simulated",
    folder=Path("simulated"),
    title="Simulated talks",
    parties=PARTIES,
    opened_on=OPENED_ON,
    ended_on=OPENED_ON + timedelta(days=DAYS - 1),
    outcome="",
    mandate="",
    mandate_url="",
    about="",
    issues=conform(
        pd.DataFrame({"issue_id": [*ISSUES, "overall"], "salience": 1}).reindex(
            columns=empty("negotiation_issues").columns
        ),
        "negotiation_issues",
    ),
    rounds=empty("rounds"),
    milestones=empty("milestones"),
    positions=empty("positions"),
    stakes=empty("stakes"),
)


class Coder:
    """The coder as it was measured: what it makes of a sentence, from counts of gold and coded."""

    def __init__(self, counts: list[dict[str, object]]) -> None:
        """Take rows of gold, coded and sentences, as data/training/scores.json has them."""
        names = [*DIRECTIONS, "silent"]
        table = np.zeros((5, 5))
        for row in counts:
            table[names.index(str(row["gold"])), names.index(str(row["coded"]))] = row["sentences"]
        self.table = table
        self.heard = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        self.precision = np.diag(table)[:4] / table[:, :4].sum(axis=0)
        self.invented = np.cumsum(table[4, :4]) / table[4, :4].sum()
        self.invents = table[4, :4].sum() / table[:4].sum()

    def code(self, rng: np.random.Generator, said: str) -> tuple[str, list[tuple[str, float]]]:
        """Return what it makes of a claim ("" if lost), and all that it finds, with chances."""
        found, heard = [], ""
        true = DIRECTIONS.index(said)
        coded = int(np.searchsorted(self.heard[true], rng.random()))
        if coded < 4:
            heard = DIRECTIONS[coded]
            found.append((heard, self.chance(rng, coded, coded == true)))
        if rng.random() < self.invents:
            coded = int(np.searchsorted(self.invented, rng.random()))
            found.append((DIRECTIONS[coded], self.chance(rng, coded, False)))
        return heard, found

    def hears(self) -> Vector:
        """Return the chance of each coded direction (columns) of a claim (rows)."""
        return np.asarray(self.table[:4, :4] / self.table[:4].sum(axis=1, keepdims=True))

    def chance(self, rng: np.random.Generator, coded: int, right: bool) -> float:
        """Return its own chance that a signal is right: honest on the whole, as was measured."""
        a, b = SURENESS * self.precision[coded], SURENESS * (1 - self.precision[coded])
        return round(float(rng.beta(a + right, b + (not right))), 3)


class Reviewer:
    """A person who decides on every signal, and errs in three of a hundred."""

    def code(self, rng: np.random.Generator, said: str) -> tuple[str, list[tuple[str, float]]]:
        """Return the direction that stands, and it as the one signal that is found."""
        heard = said if rng.random() < 0.97 else DIRECTIONS[rng.integers(4)]
        return heard, [(heard, 1.0)]

    def hears(self) -> Vector:
        """Return the chance of each coded direction (columns) of a claim (rows)."""
        return np.asarray(0.97 * np.eye(4) + 0.03 / 4)


@dataclass(frozen=True)
class Common:
    """What the issues of one negotiation have in common: when it turns (0-1), and what moves it."""

    turn: float
    steps: Vector
    days: tuple[int, ...]


@dataclass(frozen=True)
class Draw:
    """One simulated negotiation: its true gaps (days × issues), its signals, and what is hidden.

    `reports` has one row per report whose claim the coder found; `biases` are the outlets'.
    """

    negotiation: Negotiation
    truth: Vector
    signals: pd.DataFrame
    reports: pd.DataFrame
    biases: Vector


def draw_path(rng: np.random.Generator, kind: str, common: Common) -> Vector:
    """Return one true gap, a value a day, in talks whose issues have something in common."""
    first = rng.uniform(0.9, 1.0)
    turn = common.turn
    if kind == "walk":
        size = rng.uniform(0.008, 0.02)
        own = rng.standard_t(5, DAYS) * (3 / 5) ** 0.5
        both = TOGETHER**0.5 * common.steps + (1 - TOGETHER) ** 0.5 * own
        return reflect(first + np.cumsum(size * both))
    at = int(np.clip(turn + rng.normal(0, 0.02), 0.05, 0.97) * DAYS)
    if kind == "steps":
        path = np.full(DAYS, first)
        own = rng.integers(5, DAYS, rng.poisson(5 * (1 - TOGETHER)))
        for day in sorted({*common.days, *own}):
            path[day:] = reflect(np.array([path[day] + rng.normal(-0.12, 0.25)]))[0]
        return reflect(path + rng.normal(0, 0.005, DAYS))
    if kind == "breakdown":
        low, high = rng.uniform(0.15, 0.5), rng.uniform(0.75, 1.0)
        fall = (1 + np.cos(np.pi * np.linspace(0, 1, at))) / 2
        path = np.concatenate([low + (first - low) * fall, np.full(DAYS - at, high)])
        steps = min(int(rng.integers(1, 8)), DAYS - at)
        path[at : at + steps] = np.linspace(low, high, steps + 1)[1:]
        return reflect(path + np.cumsum(rng.normal(0, 0.004, DAYS)))
    plateau, end = rng.uniform(0.65, 1.0), rng.uniform(0.0, 0.12)
    settle = int(rng.uniform(0.05, 0.3) * DAYS)
    path = np.full(DAYS, plateau)
    path[:settle] = np.linspace(first, plateau, settle)
    path = path + np.cumsum(rng.normal(0, 0.006, DAYS))
    length = min(int(rng.integers(5, 36)), DAYS - at)
    path[at : at + length] = np.linspace(path[at], end, length)
    path[at + length :] = end
    return reflect(path)


def draw_common(rng: np.random.Generator, kind: str) -> Common:
    """Return what the issues of one negotiation have in common."""
    low, high = (0.4, 0.8) if kind == "breakdown" else (0.72, 0.92)
    return Common(
        turn=rng.uniform(low, high),
        steps=rng.standard_t(5, DAYS) * (3 / 5) ** 0.5,
        days=tuple(rng.integers(5, DAYS, rng.poisson(5 * TOGETHER))),
    )


def reflect(values: Vector) -> Vector:
    """Return values folded back into 0 to 1."""
    return np.asarray(1 - np.abs(1 - np.abs(values) % 2))


def draw_events(rng: np.random.Generator, reporting: str, rate: float) -> list[tuple[int, int]]:
    """Return one (day, outlets that cover it) per event on one issue."""
    if reporting == "sparse":
        count = rng.poisson(rate * DAYS / 18)
        return [(int(day), 1 + rng.poisson(0.4)) for day in rng.integers(1, DAYS, count)]
    events = [(int(day), 1) for day in rng.integers(1, DAYS, rng.poisson(rate * DAYS / 40))]
    day = int(rng.integers(5, 40))
    while day < DAYS - 5:
        for held in range(day, day + int(rng.integers(2, 5))):
            if covered := rng.poisson(2.5 * rate):
                events.append((held, covered))
        day += int(rng.integers(30, 56))
    return events


def word(rng: np.random.Generator, level: float, change: float, *, random: float) -> str:
    """Return what a report calls a perceived level and change."""
    if rng.random() < random:
        return DIRECTIONS[rng.integers(4)]
    if level < NEAR and rng.random() < 0.8:
        return "closed"
    return "narrowing" if change < -MOVED else "widening" if change > MOVED else "open"


def draw(
    rng: np.random.Generator,
    kind: str,
    reporting: str,
    outlets: str,
    coder: Coder | Reviewer,
) -> Draw:
    """Return one simulated negotiation of three issues."""
    common = draw_common(rng, kind)
    truth = np.stack([draw_path(rng, kind, common) for _ in ISSUES], axis=1)
    biases = rng.normal(-0.02, 0.08, 8) if outlets == "biased" else np.zeros(8)
    rows: list[dict[str, object]] = []
    reports: list[dict[str, object]] = []
    for issue in (*ISSUES, "overall"):
        path = truth.mean(axis=1) if issue == "overall" else truth[:, ISSUES.index(issue)]
        rate = TALKED if issue == "overall" else 1.0
        for day, covered in draw_events(rng, reporting, rate):
            wrong = rng.normal(0, EVENT_ERROR)
            since = max(day - int(rng.integers(7, 31)), 0)
            for _ in range(covered):
                outlet, side = int(rng.integers(8)), int(rng.integers(3))
                own = rng.normal(0, OUTLET_ERROR[outlets]) + biases[outlet] * np.array([1, 0.6])
                spin = (-SPIN, SPIN, 0.0)[side]
                said = word(
                    rng,
                    path[day] + wrong[0] + own[0] + spin,
                    path[day] - path[since] + wrong[1] + own[1] + spin,
                    random=RANDOM_WORD[outlets],
                )
                about = {
                    "issues": issue,
                    "party": (*PARTIES, "")[side],
                    "event_date": pd.Timestamp(OPENED_ON) + pd.Timedelta(days=day),
                    "review": "confirmed" if isinstance(coder, Reviewer) else "unreviewed",
                }
                published = min(day + int(rng.poisson(0.4)), DAYS - 1)
                heard, found = coder.code(rng, said)
                told = {"issue": issue, "day": day, "since": since, "published": published}
                told |= {"outlet": outlet, "spin": spin, "coded": heard}
                reports.append(told)
                rows += write(rng, found, about, len(rows), outlet, published)
    signals = conform(pd.DataFrame(rows), "accepted_signals") if rows else empty("accepted_signals")
    return Draw(NEGOTIATION, truth, signals, pd.DataFrame(reports), biases)


def write(
    rng: np.random.Generator,
    found: list[tuple[str, float]],
    about: dict[str, object],
    number: int,
    outlet: int,
    published: int,
) -> list[dict[str, object]]:
    """Return the signals of one report, and now and then of another outlet's copy of it."""
    rows = []
    for copy in range(2 if rng.random() < REPRINTED else 1):
        on = pd.Timestamp(OPENED_ON) + pd.Timedelta(days=min(published + copy, DAYS - 1))
        for place, (direction, sure) in enumerate(found):
            rows.append(
                TEMPLATE
                | about
                | {
                    "sha256": f"{number}-{copy}",
                    "start": place * 100,
                    "end": place * 100 + 50,
                    "direction": direction,
                    "published": on,
                    "confidence": sure,
                    "publisher": f"outlet {(outlet + copy) % 8}",
                    "story": f"story {number}",
                }
            )
    return rows


TEMPLATE: dict[str, object] = {
    **dict.fromkeys(("document", "text", "speaker", "pace_text", "forward_text"), ""),
    **dict.fromkeys(("forward_date", "why"), ""),
    "pace": "none",
    "scope": "between",
    "talks": ";".join(PARTIES),
    "coder": "cues",
    "headline": False,
    "is_private": False,
}
