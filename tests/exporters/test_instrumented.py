"""An instrumented app's spans stay below their try when each task gets a trace of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dnpcsql.exporters import otlp
from dnpcsql.exporters.traces import TracePer
from dnpcsql.identity import ENTITY, Names, task_trace_id
from dnpcsql.store import Store
from tests.conftest import Case
from tests.exporters.sent import export, faults
from tests.importers.test_bad_traces import a_document, a_span

TRACE = "71d4a7516867449fb8936b653903b644"
NAMES = Names("71d4a751-6867-449f-b893-6b653903b644", ENTITY)


@pytest.mark.parametrize("named", [(), (TRACE,)])
@pytest.mark.parametrize("trace_per", ["run", "task", "auto"])
def test_spans_of_an_app_go_with_its_task(
    trace_per: TracePer, named: tuple[str, ...], case: Case, store: Store, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    store.import_(case("parsl-2026.10.26-killed") / "runinfo")
    ours = store.query("SELECT count(*) FROM otlp_span").value()
    tries = [
        "0" + uuid[13:]
        for (uuid,) in store.query(
            "SELECT min(uuid) FROM span WHERE substr(uuid, 14, 1) = '3' "
            "AND substr(uuid, 13, 1) IN ('1', '2') GROUP BY substr(uuid, 14) LIMIT 4"
        )
    ]
    spans = []
    for n, attempt in enumerate(tries):
        outer, inner = 0xA000 + 2 * n, 0xA001 + 2 * n
        spans.append(a_span(outer, traceId=TRACE, parentSpanId=attempt))
        link = {"traceId": TRACE, "spanId": f"{0xA000:016x}"}
        spans.append(
            a_span(inner, traceId=TRACE, parentSpanId=f"{outer:016x}", links=[link] if n else [])
        )
    spans.append(a_span(0xAFFF, traceId=TRACE))
    (tmp_path / "app.json").write_text(a_document(*spans))
    store.import_(tmp_path / "app.json")
    monkeypatch.setattr(otlp, "AUTO_LIMIT", ours + 5)  # passed only by the app's spans

    done, sent = export(store, tmp_path, *named, trace_per=trace_per)
    per_task = trace_per != "run"
    assert done.runs[0].per_task == per_task
    found = faults(sent)
    for fault in ("no host.name", "no service.name", "no service.instance.id",
                  "event without source"):  # fmt: skip
        found.pop(fault, None)  # as their file has it
    assert found == Counter()
    traces = {one.span.span_id.hex(): one.span.trace_id.hex() for one in sent}
    for n, attempt in enumerate(tries):
        task = int(attempt[2:12])
        trace = task_trace_id(TRACE, task) if per_task else TRACE
        for span in (0xA000 + 2 * n, 0xA001 + 2 * n):
            assert traces[f"{span:016x}"] == traces[attempt] == trace
    assert traces[f"{0xAFFF:016x}"] == TRACE
    marked = sum("dnpc.repaired" in one.attributes for one in sent)
    assert marked == (2 * len(tries) if per_task else 0)
