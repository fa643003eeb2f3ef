"""How an order of events differs from the main one."""

from __future__ import annotations

import pytest

from dnpcsql.analyses.differences import difference
from dnpcsql.analyses.sequences import Variant, variants

SECOND = 10**9


def variant(*events: str, every_s: float = 1.0, times: int = 1) -> Variant:
    """So many spans with these events, one after the other."""
    rows = [
        (f"root{number}", int(place * every_s * SECOND), f"{number:028d}", "x", event)
        for number in range(times)
        for place, event in enumerate(events)
    ]
    (found,) = variants(rows)
    return found


MAIN = variant("pending", "launched", "sent", "got", "done", times=3)


def test_what_is_missing_and_what_is_there_besides() -> None:
    found = difference(MAIN, variant("pending", "launched", "failed", "done"))
    assert found.without == ["x/sent", "x/got"]
    assert found.besides == ["x/failed"]
    assert found.moved == []


def test_a_record_that_raced_stands_elsewhere() -> None:
    found = difference(MAIN, variant("pending", "launched", "got", "sent", "done"))
    assert (found.without, found.besides) == ([], [])
    assert found.moved in (["x/sent"], ["x/got"])


def test_what_it_costs() -> None:
    found = difference(MAIN, variant("pending", "launched", "done", every_s=5, times=2))
    assert found.mean_s == pytest.approx(10)
    assert found.more_s == pytest.approx(10 - 4)
    assert found.all_s == pytest.approx(20)
