"""Links lead to spans that are sent, in the trace that they name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dnpcsql.exporters.traces import TracePer
from dnpcsql.identity import ENTITY, NAMED, Names
from dnpcsql.records import Link, Span
from dnpcsql.store import Store
from tests import funcx_samples
from tests.exporters.sent import export, faults
from tests.test_htex_alone import make

BOTH = pytest.mark.parametrize("trace_per", ["run", "task"])


@BOTH
def test_of_an_executor_alone(trace_per: TracePer, tmp_path: Path, store: Store) -> None:
    store.import_(make(tmp_path))
    _, sent = export(store, tmp_path, trace_per=trace_per)
    assert faults(sent) == Counter()


def test_to_a_span_whose_id_only_looks_like_one_of_ours(tmp_path: Path, store: Store) -> None:
    names = Names("cc55368f-7e64-466f-9ce9-19dd3371b141", ENTITY)
    other = names.task(1)[:12] + "38abcdefabcdefab"
    theirs = names.task(1)[:12] + "1abcdefabcdefabc"
    mine = Names("cc55368f-7e64-466f-9ce9-19dd3371b141", NAMED).named("step", "1")
    spans = [Span(uuid, "step", names.trace_high, start_unix_nano=5) for uuid in (mine, other)]
    spans.append(Span(theirs, "otel.span", names.trace_high, start_unix_nano=5))
    store.add([*spans, *(Link(mine, uuid, "after", n) for n, uuid in enumerate((other, theirs)))])
    rows = store.query("SELECT linked_uuid FROM otlp_link ORDER BY ordinal").all()
    assert rows == [(other,), (theirs,)]


@BOTH
def test_each_of_funcx_s_tasks_stays_a_trace_of_its_own(
    trace_per: TracePer, tmp_path: Path, store: Store
) -> None:
    store.import_(funcx_samples.write(tmp_path / "logs"))
    done, sent = export(store, tmp_path, trace_per=trace_per)
    assert faults(sent) == Counter()
    rows = store.query("SELECT trace_id, count(*) FROM otlp_span GROUP BY 1").all()
    assert Counter(one.span.trace_id.hex() for one in sent) == dict(rows)
    (run,) = done.runs
    assert (run.traces, run.per_task) == (len(rows), False)
    assert len(rows) > 3
    for trace, spans in rows:
        _, alone = export(store, tmp_path, trace, trace_per=trace_per)
        assert {one.span.trace_id.hex() for one in alone} == {trace}
        assert len(alone) == spans
