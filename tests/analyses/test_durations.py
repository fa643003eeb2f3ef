from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.stats import gaussian_kde

from dnpcsql.analyses.durations import (
    ecdf,
    histogram,
    kde,
    resampled_means,
    resampled_quantiles,
    statistics,
)

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@given(values)
def test_statistics_are_numpys_and_linear(drawn: list[float]) -> None:
    found = statistics(np.array(drawn))
    quantiles = np.quantile(drawn, [0.5, 0.9, 0.95, 0.99], method="linear")
    assert [found.p50, found.p90, found.p95, found.p99] == pytest.approx(quantiles.tolist())
    assert (found.n, found.min, found.max) == (len(drawn), min(drawn), max(drawn))
    assert found.mean == pytest.approx(math.fsum(drawn) / len(drawn), abs=1e-6)
    for low, high in found.intervals.values():
        assert found.min <= low + 1e-6
        assert high - 1e-6 <= found.max


def test_what_is_missing_is_counted_and_nothing_is_no_number() -> None:
    found = statistics(np.array([1.0, np.nan, 3.0]))
    assert (found.n, found.missing, found.mean) == (2, 1, 2.0)
    none = statistics(np.array([np.nan]))
    assert (none.n, none.missing, none.intervals) == (0, 1, {})
    assert math.isnan(none.p50)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_drawn_quantiles_are_distributed_as_those_of_real_resamples(share: float, n: int) -> None:
    draw = np.random.default_rng(1)
    ordered = np.sort(draw.lognormal(size=n))
    real = np.quantile(ordered[draw.integers(0, n, (20_000, n))], share, axis=1)
    quick = resampled_quantiles(ordered, share, 20_000, draw)
    for level in (0.025, 0.25, 0.5, 0.75, 0.975):
        below = (quick <= np.quantile(real, level) + 1e-12).mean()
        assert below >= level - 0.02
        assert (quick < np.quantile(real, level) - 1e-12).mean() <= level + 0.02


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    draw = np.random.default_rng(2)
    hits = 0
    for round_ in range(200):
        found = statistics(draw.exponential(size=200), seed=round_)
        low, high = found.intervals["p50"]
        hits += low <= math.log(2) <= high
    assert 180 <= hits <= 199


def test_means_of_many_values_are_drawn_as_they_are_distributed() -> None:
    draw = np.random.default_rng(3)
    many = draw.exponential(size=10_001)
    drawn = resampled_means(many, 2000, draw)
    assert drawn.std() == pytest.approx(many.std() / np.sqrt(many.size), rel=0.1)


@given(values, st.booleans())
def test_every_value_is_in_one_bin(drawn: list[float], log: bool) -> None:
    found = histogram(np.array(drawn), log=log)
    assert found.counts.sum() == sum(value > 0 for value in drawn) if log else len(drawn)
    assert len(found.edges) == len(found.counts) + 1 <= 201


def test_a_histogram_of_one_value() -> None:
    found = histogram(np.array([2.0]))
    assert found.counts.sum() == 1
    assert found.edges[0] < 2 < found.edges[-1]


def test_the_binned_density_is_scipys() -> None:
    draw = np.random.default_rng(4)
    sample = np.concatenate([draw.normal(0, 1, 500), draw.normal(6, 0.5, 200)])
    found = kde(sample)
    direct = gaussian_kde(sample, bw_method=found.bandwidth / sample.std(ddof=1))
    assert np.abs(found.density - direct(found.x)).max() < 0.002 * found.density.max()
    assert trapezoid(found.density, found.x) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("sample", [[1.0], [0.0, 0.0], [1, 1, 1, 1, 9], [1e-9, 1e6]])
def test_a_density_of_little_is_still_one(sample: list[float]) -> None:
    found = kde(np.array(sample))
    assert trapezoid(found.density, found.x) == pytest.approx(1, abs=0.05)
    assert found.x.size <= 5000


def test_a_density_over_log_durations_leaves_out_what_is_not_above_0() -> None:
    found = kde(np.array([-1.0, 0.0, 0.1, 1.0, 10.0]), log=True)
    assert trapezoid(found.density, np.log10(found.x)) == pytest.approx(1, abs=1e-3)


@given(values)
def test_the_cumulative_share_is_what_counting_gives(drawn: list[float]) -> None:
    found = ecdf(np.array(drawn))
    for x, share in zip(found.x, found.share, strict=True):
        assert share == pytest.approx(sum(value <= x for value in drawn) / len(drawn))
    assert len(set(drawn)) == found.x.size
