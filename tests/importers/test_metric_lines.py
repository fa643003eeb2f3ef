"""METRIC lines, alone and among what a log's own importer reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.clock import named
from dnpcsql.identity import NAMED, PARSL_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.metric_lines import metric_lines, recognises
from dnpcsql.records import Containment, Problem, Record, Sample, Span, Tally
from dnpcsql.store import Store

# As the first Parsl that had such lines wrote it.
STRATEGY = (
    "1669383194.390360 2022-11-25 13:33:14 MainProcess-30062 FlowControl-Thread-140018264450816 "
    "parsl.dataflow.strategy:217 _general_strategy DEBUG: METRIC STRATEGY htex_Local "
    "active_tasks=3 running_blocks=2 pending_blocks=0 active_blocks=2 active_slots=2"
)
RUN_ID = (
    "1669383190.000000 2022-11-25 13:33:10 MainProcess-30062 MainThread-140018264450816 "
    "parsl.dataflow.dflow:121 __init__ INFO: Run id is: 88f840fd-dc4a-45e4-9956-2ef5d4aad63a"
)
RUN = "88f840fd-dc4a-45e4-9956-2ef5d4aad63a"


def of(records: list[Record], kind: type) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


def read(tmp_path: Path, *lines: str, context: Context | None = None) -> list[Record]:
    path = tmp_path / "some.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(metric_lines(path, context or Context(run_id=RUN)))


def test_a_line_is_a_sample_of_what_it_names(tmp_path: Path) -> None:
    records = read(tmp_path, "no metric here", STRATEGY, STRATEGY.replace("194.39", "199.39"))
    uuid = Names(RUN, NAMED).named("metric", None, None, "some.log", "STRATEGY", "htex_Local")
    metrics = {
        "active_tasks": 3,
        "running_blocks": 2,
        "pending_blocks": 0,
        "active_blocks": 2,
        "active_slots": 2,
    }
    first, last = 1669383194390360000, 1669383199390360000
    assert of(records, Sample) == [
        Sample(uuid, first, 2, json.dumps(metrics)),
        Sample(uuid, last, 3, json.dumps(metrics)),
    ]
    (span,) = of(records, Span)
    assert (span.uuid, span.type, span.name) == (uuid, "metric.STRATEGY", "htex_Local")
    assert (span.start_unix_nano, span.end_unix_nano, span.line) == (first, last, 2)
    assert Containment(Names(RUN, PARSL_LOG).workflow(), uuid) in records
    assert of(records, Tally) == [Tally(3, 2, 2, {"lines without METRIC": (1, True)})]


@pytest.mark.parametrize(
    ("line", "time", "values"),
    [
        ("1669383194 METRIC a b x=1", 1669383194000000000, {"x": 1}),
        (
            "1669383194.5 any words METRIC a b x=-1e3 y=.5",
            1669383194500000000,
            {"x": -1e3, "y": 0.5},
        ),
        ("2022-11-25 14:33:14.390 [INFO] METRIC a b x=1", 1669383194390000000, {"x": 1}),
        ("2022-11-25T14:33:14,390 METRIC a b x=1 ", 1669383194390000000, {"x": 1}),
        (
            '{"created": 1669383194.39036, "formatted": "METRIC a b x=1"}',
            1669383194390360000,
            {"x": 1},
        ),
    ],
)
def test_times_of_all_kinds(tmp_path: Path, line: str, time: int, values: dict[str, Any]) -> None:
    context = Context(run_id=RUN, clock=named("Europe/Berlin", "given"))
    (sample,) = of(read(tmp_path, line, context=context), Sample)
    assert (sample.time_unix_nano, json.loads(sample.metrics)) == (time, values)


@pytest.mark.parametrize(
    "line",
    [
        "1669383194 METRIC a b x=one",
        "1669383194 METRIC a b x=nan",
        "1669383194 METRIC a b x=1e999",
        "1669383194 METRIC a b x=1 and more",
        "yesterday METRIC a b x=1",
        '{"created": "then", "formatted": "METRIC a b x=1"}',
        "1669383194 METRIC a b x=" + "9" * 5000,
        "1669383194 " + "METRIC a b x=1 " * 20_000 + "!",
    ],
)
def test_what_is_no_reading_is_a_problem(tmp_path: Path, line: str) -> None:
    records = read(tmp_path, line, STRATEGY)
    assert len(of(records, Sample)) == 1
    assert [(problem.kind, problem.line) for problem in of(records, Problem)] == [
        ("metric not understood", 1)
    ]


def test_the_word_alone_says_nothing(tmp_path: Path) -> None:
    words = ("1669383194 METRIC tons of it", "1669383194 a=1 SYMMETRIC a b x=1", "METRIC ")
    records = read(tmp_path, *words, STRATEGY)
    assert len(of(records, Sample)) == 1
    assert not of(records, Problem)


def test_things_without_number_take_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dnpcsql.importers.metric_lines._THINGS", 2)
    records = read(tmp_path, *(f"1669383194 METRIC a {n} x=1" for n in range(5)))
    assert len(of(records, Sample)) == 5
    assert len({span.uuid for span in of(records, Span)}) == 5


def test_a_log_of_parsls_tells_its_metrics_with_the_rest(tmp_path: Path, store: Store) -> None:
    log = tmp_path / "000" / "parsl.log"
    log.parent.mkdir()
    log.write_text(f"{RUN_ID}\n{STRATEGY}\n")
    store.import_(tmp_path)
    (source,) = store.sources()
    assert (source.importer, source.records, source.understood) == ("parsl.log", 2, 2)
    assert source.unused() == {}, "a METRIC line is no unknown wording"
    assert store.query(
        "SELECT name, value, line FROM sample_value ORDER BY name LIMIT 2"
    ).all() == [
        ("active_blocks", 2, 2),
        ("active_slots", 2, 2),
    ]
    assert store.query("SELECT count(*) FROM parsl_run").value() == 1


def test_any_other_log_is_known_by_its_metric_lines(tmp_path: Path, store: Store) -> None:
    (tmp_path / "mine.log").write_text("hello\n1669383194.5 METRIC disk scratch used=0.5\n")
    (tmp_path / "text.md").write_text("A METRIC of note: x=1\n")
    done = store.import_(tmp_path)
    assert [source.importer for source in done.added] == ["metric lines"]
    assert store.query("SELECT type, name FROM span").all() == [("metric.disk", "scratch")]


def test_recognised_by_an_epoch_and_a_reading() -> None:
    path = Path("x.log")
    assert recognises(path, STRATEGY.encode())
    assert not recognises(path, b"12 METRIC a b x=1")
    assert not recognises(path, b"1669383194 METRIC tons")
