"""What the model is held against: three usual ways to read signals, and a filter told the truth.

The rivals turn the four directions into numbers and average them. `oracle` knows everything about
the simulator but the path itself: it weighs many paths of the same generator by how likely each
makes what was reported, and is told the outlets' biases and which signals the coder invented.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import simulate
from scipy.special import ndtr

Vector = npt.NDArray[np.float64]

# The usual scale: evenly from agreed to apart.
SCALE = {"closed": 0.0, "narrowing": 1 / 3, "open": 2 / 3, "widening": 1.0}
WINDOW_DAYS = 30
HALF_LIFE_DAYS = 30
NINETY = 1.645


def average_days(day: Vector, value: Vector) -> tuple[Vector, Vector]:
    """Return the mean and the number of the values of each day; the mean is NaN where none is."""
    count = np.bincount(day, minlength=simulate.DAYS).astype(float)
    total = np.bincount(day, weights=value, minlength=simulate.DAYS)
    with np.errstate(invalid="ignore"):
        return total / count, count


def moving_mean(day: Vector, value: Vector) -> tuple[Vector, Vector]:
    """Return the mean of the last 30 days, and half its usual 90 % interval.

    With fewer than two values in the window the last figure stands.
    """
    mean = np.ones(simulate.DAYS)
    half = np.full(simulate.DAYS, NINETY * 0.25)
    for now in range(simulate.DAYS):
        inside = value[(day <= now) & (day > now - WINDOW_DAYS)]
        if len(inside) == 0:
            mean[now], half[now] = mean[max(now - 1, 0)], half[max(now - 1, 0)]
        else:
            mean[now] = inside.mean()
            if len(inside) > 1:
                half[now] = NINETY * inside.std(ddof=1) / len(inside) ** 0.5
    return mean, half


def smoothing(day: Vector, value: Vector) -> tuple[Vector, Vector]:
    """Return an exponentially weighted mean, and half its usual 90 % interval."""
    weight, total, square, weights2 = 1.0, 1.0, 1.0, 1.0
    mean, half = np.empty(simulate.DAYS), np.empty(simulate.DAYS)
    fade = 0.5 ** (1 / HALF_LIFE_DAYS)
    for now in range(simulate.DAYS):
        own = value[day == now]
        weight = weight * fade + len(own)
        total = total * fade + own.sum()
        square = square * fade + (own**2).sum()
        weights2 = weights2 * fade**2 + len(own)
        mean[now] = total / weight
        spread = max(square / weight - mean[now] ** 2, 0.0)
        half[now] = NINETY * (spread * weights2) ** 0.5 / weight
    return mean, half


def local_level(day: Vector, value: Vector) -> tuple[Vector, Vector]:
    """Return statsmodels' local level, filtered, its variances fitted to the whole series."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    daily, _ = average_days(day, value)
    if np.isfinite(daily).sum() < 4:
        return moving_mean(day, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = UnobservedComponents(daily, "local level").fit(disp=False, maxiter=50)
    level = fitted.level
    mean, half = level.filtered.copy(), NINETY * np.sqrt(level.filtered_cov)
    before = np.arange(len(mean)) < np.flatnonzero(np.isfinite(daily))[0]
    mean[before], half[before] = 1.0, NINETY * 0.25
    return mean, np.minimum(half, 1.0)


READ = {
    "30-day mean": moving_mean,
    "exponential smoothing": smoothing,
    "local level": local_level,
}


def draw_library(rng: np.random.Generator, kind: str, count: int) -> Vector:
    """Return so many paths of a generator, days × paths."""
    paths = [simulate.draw_path(rng, kind, simulate.draw_common(rng, kind)) for _ in range(count)]
    return np.stack(paths, axis=1)


def oracle(
    draw: simulate.Draw, issue: str, outlets: str, hears: Vector, library: Vector
) -> tuple[Vector, float]:
    """Return the filtered gap of one issue of a filter told the true model, and its sample size.

    The size is the effective number of paths on the last day (Kong 1992).
    """
    reports = draw.reports
    own = reports[(reports["issue"] == issue) & (reports["coded"] != "")]
    errors = simulate.OUTLET_ERROR[outlets]
    random = simulate.RANDOM_WORD[outlets]
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    weights = weights / weights.sum()
    log = np.zeros((simulate.DAYS, library.shape[1]))
    for _, event in own.groupby(["day", "since"]):
        made = np.ones((5, 5, library.shape[1]))
        for each in event.itertuples():
            bias = draw.biases[each.outlet]
            level = library[each.day] + bias + each.spin
            change = library[each.day] - library[each.since] + 0.6 * bias + each.spin
            near = (simulate.NEAR - level - nodes[:, None] * simulate.EVENT_ERROR[0]) / errors[0]
            shift = change + nodes[:, None] * simulate.EVENT_ERROR[1]
            closed = 0.8 * ndtr(near)[:, None]
            narrowing = ndtr((-simulate.MOVED - shift) / errors[1])[None]
            widening = ndtr((shift - simulate.MOVED) / errors[1])[None]
            rest = 1 - closed
            words = (closed, rest * narrowing, rest * (1 - narrowing - widening), rest * widening)
            heard = hears[:, simulate.DIRECTIONS.index(each.coded)]
            made = made * sum(
                (random / 4 + (1 - random) * word) * share
                for word, share in zip(words, heard, strict=True)
            )
        chance = np.einsum("a,b,abm->m", weights, weights, made)
        log[event["published"].max()] += np.log(chance)
    total = np.cumsum(log, axis=0)
    weight = np.exp(total - total.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return (weight * library).sum(axis=1), float(1 / (weight[-1] ** 2).sum())
