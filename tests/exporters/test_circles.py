"""Parents that are their children's children: cut at one place, which is marked and counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dnpcsql.exporters.ancestors import DEEPEST, Ancestors
from dnpcsql.identity import NAMED, Names
from dnpcsql.records import Containment, Span
from dnpcsql.store import Store
from tests.exporters.sent import export, faults

NAMES = Names("a job", NAMED)
NOW = 1_795_331_200_000_000_000


def uuid(number: int) -> str:
    return NAMES.named("step", str(number))


def add(store: Store, parents: dict[int, int]) -> None:
    spans = [Span(uuid(n), "step", NAMES.trace_high, start_unix_nano=NOW + n) for n in parents]
    store.add([*spans, *(Containment(uuid(up), uuid(n)) for n, up in parents.items() if up)])


# span → its parent; 0: none
@pytest.mark.parametrize("where", [None, "1"])
@pytest.mark.parametrize(
    "parents",
    [{1: 2, 2: 1}, {1: 2, 2: 3, 3: 1, 4: 3, 5: 4}, {1: 2, 2: 1, 3: 4, 4: 3, 5: 0}],
)
def test_a_log_of_ones_own_may_go_round(
    parents: dict[int, int], where: str | None, store: Store, tmp_path: Path
) -> None:
    add(store, parents)
    done, sent = export(store, tmp_path, where=where)
    assert faults(sent) == Counter()
    cut = [one for one in sent if "dnpc.parent_span_id" in one.attributes]
    assert len(cut) == done.cut == (2 if 5 in parents and not parents[5] else 1)
    below = sum(bool(one.span.parent_span_id) for one in sent)
    assert below == sum(map(bool, parents.values())) - len(cut)


def test_each_parent_is_asked_for_once() -> None:
    asked: Counter[str] = Counter()
    last = 4 * DEEPEST

    def parent_of(name: str) -> str | None:
        asked[name] += 1
        return f"{int(name) + 1}" if int(name) < last else None

    ancestors = Ancestors(parent_of)
    cuts = [n for n in range(last + 1) if ancestors.cut(f"{n}")]
    assert max(asked.values()) == 1
    assert len(cuts) == 3
    assert ancestors.cut(f"{cuts[0]}") == "too deep"
