"""What goes with long durations: their correlation with attributes, numbers or names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dnpcsql.analyses.times import Floats

_LEAST = 5
_NAMES = re.compile(r"(^|[._])(id|code|pid|rank|number)$")  # whose numbers are names, not amounts
_MOST_GROUPS = 1000


class Correlation(NamedTuple):
    """How one attribute goes with the duration."""

    attribute: str
    kind: str  # "rank" (Spearman, of numbers) or "groups" (Kruskal-Wallis, of names)
    n: int
    strength: float  # Spearman's rho, -1 to 1; or epsilon², 0 to 1, the share that groups explain
    p: float  # that it is chance, made stricter for as many attributes as were tried (Holm)
    words: str


def correlations(durations_s: Floats, attributes: Mapping[str, Sequence[Any]]) -> list[Correlation]:
    """How durations go with each attribute, the strongest first. None is left out.

    Numbers are ranked, unless their attribute says that they are names: `worker_id`, `status_code`.
    Attributes that are the same everywhere, that are told of fewer than five spans, or that name
    almost every span differently say nothing, and are not in the list.
    """
    found = [
        correlation
        for name, values in attributes.items()
        if (correlation := _one(name, np.asarray(durations_s, dtype=np.float64), values))
    ]
    return sorted(_stricter(found), key=lambda one: (one.p >= 0.05, -abs(one.strength)))


def _one(name: str, durations: Floats, values: Sequence[Any]) -> Correlation | None:
    known = np.array([value is not None for value in values], dtype=bool) & np.isfinite(durations)
    given = [value for value, here in zip(values, known, strict=True) if here]
    durations = durations[known]
    if len(given) < _LEAST or len(set(map(str, given))) < 2 or np.ptp(durations) == 0:
        return None
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in given)
    if numbers and not _NAMES.search(name):
        return _ranked(name, durations, np.array(given, dtype=np.float64))
    return _grouped(name, durations, [str(value) for value in given])


def _ranked(name: str, durations: Floats, values: Floats) -> Correlation | None:
    finite = np.isfinite(values)
    if finite.sum() < _LEAST or np.ptp(values[finite]) == 0 or np.ptp(durations[finite]) == 0:
        return None
    from scipy.stats import spearmanr

    found = spearmanr(values[finite], durations[finite])
    rho = float(found.statistic)
    words = f"the {'longer' if rho > 0 else 'shorter'} the higher {name} is"
    return Correlation(name, "rank", int(finite.sum()), rho, float(found.pvalue), words)


def _grouped(name: str, durations: Floats, values: Sequence[str]) -> Correlation | None:
    names, places = np.unique(values, return_inverse=True)
    if names.size > min(_MOST_GROUPS, len(values) // 2):
        return None
    from scipy.stats import kruskal

    groups = [durations[places == place] for place in range(names.size)]
    found = kruskal(*groups)
    n = durations.size
    share = max(0.0, float(found.statistic) / (n - 1))
    medians = [float(np.median(group)) for group in groups]
    most, least = int(np.argmax(medians)), int(np.argmin(medians))
    others = float(np.median(durations[places != most]))
    words = (
        f"{names[most]} takes longest, median {medians[most]:.4g} s (n {groups[most].size}) "
        f"against {others:.4g} s of the others"
    )
    if names.size > 2:
        words += f"; {names[least]} least, {medians[least]:.4g} s (n {groups[least].size})"
    return Correlation(name, "groups", n, min(1.0, share), float(found.pvalue), words)


def _stricter(found: list[Correlation]) -> list[Correlation]:
    """Holm's correction: the more is tried, the more is found by chance."""
    ordered = sorted(found, key=lambda one: one.p)
    stricter, least = [], 0.0
    for place, one in enumerate(ordered):
        least = max(least, min(1.0, one.p * (len(ordered) - place)))
        stricter.append(one._replace(p=least))
    return stricter
