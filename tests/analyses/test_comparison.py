from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, mannwhitneyu

from dnpcsql.analyses.comparison import compare, size_of
from dnpcsql.analyses.correlation import correlations
from dnpcsql.analyses.times import Floats


def _sample(n: int, scale: float = 1.0, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).lognormal(size=n) * scale


def test_tests_are_scipys_and_the_effect_is_counted_over_all_pairs() -> None:
    first, second = _sample(60), _sample(50, 1.5, seed=1)
    found = compare(first, second)
    assert found.mann_whitney_p == mannwhitneyu(second, first).pvalue
    assert found.kolmogorov_smirnov == ks_2samp(first, second).statistic
    longer = (second[:, None] > first).mean() + (second[:, None] == first).mean() / 2
    assert found.superiority == pytest.approx(longer)
    assert found.cliffs_delta == pytest.approx(2 * longer - 1)
    median = found.shift("p50")
    assert median.shift_s == pytest.approx(np.median(second) - np.median(first))
    assert median.interval_s.low < median.shift_s < median.interval_s.high


def test_words_for_slower_for_faster_and_for_no_difference() -> None:
    base = _sample(400)
    assert compare(base, base).words == (
        "no difference between A and B that chance could not make (Mann-Whitney p 1.000)"
    )
    slower = compare(base, _sample(400, 2.0, seed=1), names=("003", "004"))
    assert slower.words.startswith("004 is slower than 003: median +")
    assert "a medium difference (Mann-Whitney p < 0.001)" in slower.words
    assert compare(base, base / 3).words.startswith("B is faster than A: median -")
    wider = np.concatenate([base * 0 + 0.001, base * 0 + 99])
    middle = np.linspace(1, 2, 800)
    assert "spread otherwise" in compare(middle, wider).words


def test_one_against_one_is_no_proof() -> None:
    found = compare(np.array([1.0]), np.array([5.0]))
    assert found.mann_whitney_p == 1
    assert found.words.startswith("no difference")


def test_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="no durations"):
        compare(np.array([1.0]), np.array([np.nan]))


def test_sizes_have_names() -> None:
    assert [size_of(delta) for delta in (0, -0.2, 0.4, -1)] == [
        "negligible", "small", "medium", "large",
    ]  # fmt: skip


def test_what_goes_with_long_durations_stands_first() -> None:
    draw = np.random.default_rng(5)
    hosts = np.array(["node1", "node2", "slow"])[draw.integers(0, 3, 300)]
    size = draw.integers(1, 100, 300)
    took = draw.exponential(size=300) + np.where(hosts == "slow", 20.0, 0.0) + size / 500
    found = correlations(
        took,
        {
            "host": list(hosts),
            "size": [int(n) for n in size],
            "noise": [float(n) for n in draw.normal(size=300)],
            "same": ["x"] * 300,
            "id": [f"task{n}" for n in range(300)],
            "rare": [1, 2, *[None] * 298],
        },
    )
    assert found[0].attribute == "host"
    assert {one.attribute for one in found} == {"host", "size", "noise"}
    assert found[0].p < 1e-6
    assert found[0].words.startswith("slow takes longest, median 2")
    (noise,) = [one for one in found if one.attribute == "noise"]
    assert noise.p > 0.05
