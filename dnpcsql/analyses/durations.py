"""How long things take: statistics with intervals, histogram, density, cumulative share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.times import Floats

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

_RESAMPLED_WHOLE = 10_000
_AT_ONCE = 2_000_000


class Interval(NamedTuple):
    """Where a figure would lie if the run were repeated, as far as its own spread tells."""

    low: float
    high: float


class Statistics(NamedTuple):
    """Of durations in seconds; NaN where there are none."""

    n: int
    missing: int  # of which an end or a start is not told
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    min: float
    max: float
    intervals: dict[str, Interval]  # of mean and quantiles, by their names


def statistics(
    durations_s: Floats, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Statistics:
    """Statistics of durations; NaN is counted as missing. Quantiles are linear, as numpy's.

    Intervals are bootstrapped, and the same for the same data: `seed` draws them.
    """
    given = np.asarray(durations_s, dtype=np.float64)
    values = np.sort(given[np.isfinite(given)])
    missing = int(given.size - values.size)
    if not values.size:
        nan = float("nan")
        return Statistics(0, missing, nan, nan, nan, nan, nan, nan, nan, {})
    p50, p90, p95, p99 = map(float, np.quantile(values, list(QUANTILES.values())))
    draw = np.random.default_rng(seed)
    intervals = {"mean": _interval(resampled_means(values, resamples, draw), confidence)}
    for name, share in QUANTILES.items():
        drawn = resampled_quantiles(values, share, resamples, draw)
        intervals[name] = _interval(drawn, confidence)
    return Statistics(
        int(values.size),
        missing,
        float(values.mean()),
        p50,
        p90,
        p95,
        p99,
        float(values[0]),
        float(values[-1]),
        intervals,
    )


def resampled_quantiles(
    ordered: Floats, share: float, resamples: int, draw: np.random.Generator
) -> Floats:
    """Quantiles of bootstrap resamples of ordered values, without resampling them.

    The k-th smallest of n draws from n ordered values is the value at floor(n·U), where U, the
    k-th smallest of n uniform numbers, is Beta(k, n - k + 1); given it, the next one is U +
    (1 - U)·Beta(1, n - k). That is the bootstrap's own distribution, in time that n does not touch.
    """
    n = ordered.size
    place = share * (n - 1)
    k = int(place)
    lower = draw.beta(k + 1, n - k, resamples)
    low = ordered[np.minimum((n * lower).astype(np.int64), n - 1)]
    if k + 1 >= n:
        return low
    upper = lower + (1 - lower) * draw.beta(1, n - k - 1, resamples)
    high = ordered[np.minimum((n * upper).astype(np.int64), n - 1)]
    return np.asarray(low + (place - k) * (high - low), dtype=np.float64)


def resampled_means(values: Floats, resamples: int, draw: np.random.Generator) -> Floats:
    """Means of bootstrap resamples; above 10,000 values normal ones, which they then are."""
    n = values.size
    if n > _RESAMPLED_WHOLE:
        return draw.normal(values.mean(), values.std() / np.sqrt(n), resamples)
    batch = max(1, _AT_ONCE // n)
    means = [
        values[draw.integers(0, n, (min(batch, resamples - done), n))].mean(axis=1)
        for done in range(0, resamples, batch)
    ]
    return np.concatenate(means)


def _interval(drawn: Floats, confidence: float) -> Interval:
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


class Histogram(NamedTuple):
    """Counts between edges: edges[i] ≤ value < edges[i + 1], the last one closed."""

    edges: Floats
    counts: Floats


def histogram(values: Floats, *, bins: int | None = None, log: bool = False) -> Histogram:
    """How many values lie where. `log`: edges are evenly spaced by ratio, of values above 0.

    Without `bins`: by Freedman and Diaconis, at least 8 and at most 200.
    """
    values = _usable(values, log)
    if not values.size:
        return Histogram(np.array([0.0, 1.0]), np.zeros(1))
    scaled = np.log10(values) if log else values
    low, high = float(scaled.min()), float(scaled.max())
    if low == high:
        room = abs(low) * 0.05 or 0.5
        low, high, bins = low - room, high + room, bins or 9
    edges = np.linspace(low, high, (bins or _bins(scaled)) + 1)
    counts, _ = np.histogram(scaled, edges)
    return Histogram(10**edges if log else edges, counts.astype(np.float64))


def _bins(values: Floats) -> int:
    quarter, most = np.quantile(values, [0.25, 0.75])
    width = 2 * (most - quarter) / np.cbrt(values.size)
    if width <= 0:
        return 30
    return int(np.clip(np.ceil((values.max() - values.min()) / width), 8, 200))


class Density(NamedTuple):
    """A smooth density: its integral over x is 1 (over log10 x where it was asked so)."""

    x: Floats
    density: Floats
    bandwidth: float


def kde(values: Floats, *, points: int = 512, log: bool = False) -> Density:
    """A Gaussian kernel density by bins and FFT: 1,000,000 values take as long as their binning.

    The bandwidth is Silverman's, robust: 0.9·min(s, IQR/1.34)·n^(-1/5). `log`: of log10 values.
    Of values none of which is below 0 nothing is put there: it is reflected.
    """
    values = _usable(values, log)
    if not values.size:
        return Density(np.array([0.0, 1.0]), np.zeros(2), 0.0)
    scaled = np.log10(values) if log else values
    width = _bandwidth(scaled)
    low, high = float(scaled.min()) - 4 * width, float(scaled.max()) + 4 * width
    cells = max(points, min(1 << 16, int(np.ceil((high - low) / width * 8))))
    x = np.linspace(low, high, cells)
    step = x[1] - x[0]
    mass = _linear_bins(scaled, low, step, cells)
    reach = int(np.ceil(4 * width / step))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    from scipy.signal import fftconvolve

    smooth = fftconvolve(mass, kernel / kernel.sum(), mode="full")[reach : reach + cells]
    density = np.maximum(smooth, 0) / (values.size * step)
    if cells > 4 * points:
        keep = np.linspace(low, high, 4 * points)
        x, density = keep, np.interp(keep, x, density)
    if not log and values.min() >= 0 > low:
        density = density + np.interp(-x, x, density, left=0, right=0)
        x, density = _from_zero(x, density)
    return Density(10**x if log else x, density, width)


def _from_zero(x: Floats, density: Floats) -> tuple[Floats, Floats]:
    right = x > 0
    at_zero = np.interp(0, x, density)
    return np.append(0, x[right]), np.append(at_zero, density[right])


def _linear_bins(values: Floats, low: float, step: float, cells: int) -> Floats:
    """Each value shared by its two neighbours on the grid, by nearness."""
    place = (values - low) / step
    left = np.clip(place.astype(np.int64), 0, cells - 2)
    share = place - left
    return np.asarray(
        np.bincount(left, 1 - share, cells) + np.bincount(left + 1, share, cells), dtype=np.float64
    )


def _bandwidth(values: Floats) -> float:
    quarter, most = np.quantile(values, [0.25, 0.75])
    spreads = [spread for spread in (values.std(), (most - quarter) / 1.34) if spread > 0]
    if not spreads:
        return abs(float(values[0])) * 0.01 or 0.01
    return float(0.9 * min(spreads) * values.size**-0.2)


class Ecdf(NamedTuple):
    """The share of values that are at most x, at each value that there is."""

    x: Floats
    share: Floats
    n: int


def ecdf(values: Floats) -> Ecdf:
    """The cumulative share, exactly: one step for each different value."""
    ordered = np.sort(_usable(values, False))
    if not ordered.size:
        return Ecdf(ordered, ordered, 0)
    last = np.append(ordered[1:] != ordered[:-1], True)
    counts = np.flatnonzero(last) + 1.0
    return Ecdf(ordered[last], counts / ordered.size, int(ordered.size))


def _usable(values: Floats, log: bool) -> Floats:
    given = np.asarray(values, dtype=np.float64)
    return given[np.isfinite(given) & (given > 0)] if log else given[np.isfinite(given)]
