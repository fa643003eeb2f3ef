"""How an order of events differs from the main one, and what it costs beyond it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from dnpcsql.analyses.sequences import Variant


class Difference(NamedTuple):
    """A variant against the main path. Events by their labels."""

    without: list[str]  # that the main path has
    besides: list[str]  # that it has not
    moved: list[str]  # that stand elsewhere in it
    mean_s: float  # from the first event to the last
    more_s: float  # than the main path, on average
    all_s: float  # of all its spans together


def difference(main: Variant, other: Variant) -> Difference:
    """What is missing, there besides, or in another place, and how much longer it takes."""
    without: list[str] = []
    besides: list[str] = []
    ours, theirs = main.labels, other.labels
    for what, begin, end, start, stop in SequenceMatcher(
        None, ours, theirs, autojunk=False
    ).get_opcodes():
        if what != "equal":
            without += ours[begin:end]
            besides += theirs[start:stop]
    moved = Counter(without) & Counter(besides)
    return Difference(
        _less(without, moved),
        _less(besides, moved),
        list(moved),
        mean_s(other),
        mean_s(other) - mean_s(main),
        mean_s(other) * other.count,
    )


def mean_s(variant: Variant) -> float:
    """Seconds from the first event to the last, on average."""
    return variant.steps[-1].since_start_sum / variant.count / 1e9


def _less(labels: Sequence[str], taken: Counter[str]) -> list[str]:
    """Labels without those that were moved, in their order."""
    left = Counter(taken)
    kept = []
    for label in labels:
        if left[label]:
            left[label] -= 1
        else:
            kept.append(label)
    return kept
