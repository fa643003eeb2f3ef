"""Are these slower than those? Two sets of durations: shift, tests, and what they mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.durations import (
    QUANTILES,
    Interval,
    Statistics,
    resampled_means,
    resampled_quantiles,
    statistics,
)
from dnpcsql.analyses.times import Floats

_RESAMPLES = 2000
# Cliff's delta, as Romano and others (2006) name its sizes.
_SIZES = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"), (1.1, "large"))


class Shift(NamedTuple):
    """How much later, in seconds, and by what share of the first, with an interval."""

    figure: str  # mean, p50, p90, p95 or p99
    first_s: float
    second_s: float
    shift_s: float
    interval_s: Interval
    ratio: float  # the shift over the first; NaN if that is 0

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out no shift at all."""
        return self.interval_s.low > 0 or self.interval_s.high < 0


class Comparison(NamedTuple):
    """Two sets of durations, the first being what the second is measured against."""

    first: Statistics
    second: Statistics
    shifts: list[Shift]
    mann_whitney_p: float  # that one tends to be longer is chance
    kolmogorov_smirnov: float  # the largest difference of the two cumulative shares
    kolmogorov_smirnov_p: float  # that they differ at all is chance
    superiority: float  # the chance that one of the second takes longer than one of the first
    cliffs_delta: float  # 2·superiority - 1, from -1 to 1
    words: str

    def shift(self, figure: str) -> Shift:
        """The shift of mean, p50, p90, p95 or p99."""
        return next(shift for shift in self.shifts if shift.figure == figure)


def compare(
    first: Floats,
    second: Floats,
    *,
    confidence: float = 0.95,
    names: tuple[str, str] = ("A", "B"),
    seed: int = 0,
) -> Comparison:
    """Compare durations in seconds. Raises ValueError if either has none.

    Mann-Whitney with its normal approximation where there are ties or many, exact where few;
    ties count half in `superiority`.
    """
    values = [np.sort(given[np.isfinite(given)]) for given in (first, second)]
    if not values[0].size or not values[1].size:
        raise ValueError("nothing to compare: one side has no durations")
    draw = np.random.default_rng(seed)
    shifts = [_shift("mean", values, draw, confidence)]
    shifts += [_shift(name, values, draw, confidence) for name in QUANTILES]
    from scipy.stats import ks_2samp, mannwhitneyu

    u = mannwhitneyu(values[1], values[0], alternative="two-sided")
    ks = ks_2samp(values[0], values[1], method="auto" if min(map(len, values)) < 5000 else "asymp")
    superiority = float(u.statistic) / (values[0].size * values[1].size)
    delta = 2 * superiority - 1
    median = shifts[1]
    return Comparison(
        statistics(values[0], confidence=confidence, seed=seed),
        statistics(values[1], confidence=confidence, seed=seed),
        shifts,
        float(u.pvalue),
        float(ks.statistic),
        float(ks.pvalue),
        superiority,
        delta,
        in_words(median, superiority, delta, float(u.pvalue), float(ks.pvalue), names, confidence),
    )


def _shift(
    figure: str, values: list[Floats], draw: np.random.Generator, confidence: float
) -> Shift:
    if figure == "mean":
        first, second = (float(given.mean()) for given in values)
        drawn = [resampled_means(given, _RESAMPLES, draw) for given in values]
    else:
        share = QUANTILES[figure]
        first, second = (float(np.quantile(given, share)) for given in values)
        drawn = [resampled_quantiles(given, share, _RESAMPLES, draw) for given in values]
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(drawn[1] - drawn[0], tails)
    shift = second - first
    ratio = shift / first if first else float("nan")
    return Shift(figure, first, second, shift, Interval(float(low), float(high)), ratio)


def size_of(delta: float) -> str:
    """Cliff's delta as a word: negligible, small, medium or large."""
    return next(word for limit, word in _SIZES if abs(delta) < limit)


def in_words(
    median: Shift,
    superiority: float,
    delta: float,
    mann_whitney_p: float,
    kolmogorov_smirnov_p: float,
    names: tuple[str, str],
    confidence: float,
) -> str:
    """What a comparison means, for people."""
    first, second = names
    alpha = 1 - confidence
    if mann_whitney_p >= alpha:
        if kolmogorov_smirnov_p < alpha:
            return (
                f"{second} is neither slower nor faster than {first} on the whole, but spread "
                f"otherwise (Kolmogorov-Smirnov p {probability(kolmogorov_smirnov_p)})"
            )
        return (
            f"no difference between {first} and {second} that chance could not make "
            f"(Mann-Whitney p {probability(mann_whitney_p)})"
        )
    slower = delta > 0
    chance = superiority if slower else 1 - superiority
    moved = f"median {median.shift_s:+.4g} s"
    if np.isfinite(median.ratio):
        moved += f", {100 * median.ratio:+.1f} %"
    if not median.certain:
        moved += ", which chance could make"
    return (
        f"{second} is {'slower' if slower else 'faster'} than {first}: {moved}; one of {second} "
        f"takes {'longer' if slower else 'less'} than one of {first} in {100 * chance:.0f} of 100 "
        f"pairs, a {size_of(delta)} difference (Mann-Whitney p {probability(mann_whitney_p)})"
    )


def probability(p: float) -> str:
    """A p value for people."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
