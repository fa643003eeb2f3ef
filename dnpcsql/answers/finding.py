"""What an answer says in one sentence, and how much of the run's time it is about.

Every answer has a function `findings(result) -> list[Finding]`; `dnpcsql why` prints the
heaviest of them all first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """A plain statement about a run that can be checked."""

    weight: float  # seconds of waiting or of work that it explains; what is worst comes first
    sentence: str  # whole, in plain words with its numbers
    command: str  # what shows more: `dnpcsql hops last`
    evidence: tuple[str, ...] = ()  # where it can be read: `parsl.log:2210`


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """The heaviest first; of equal weight, by sentence, so that the order never changes."""
    return sorted(findings, key=lambda finding: (-finding.weight, finding.sentence))
