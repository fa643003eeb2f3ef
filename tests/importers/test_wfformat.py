"""WfFormat of versions 1.4 and 1.5, written after its schema and WfCommons' description of it."""

from __future__ import annotations

import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.errors import UnreadableError
from dnpcsql.importers.context import Context
from dnpcsql.importers.wfformat import recognises, wfformat
from dnpcsql.records import Containment, Link, Problem, Record, Span, Tally
from dnpcsql.store import Store

NOON = 1_795_345_200 * 10**9  # 2026-11-22T11:00:00Z

NEW: dict[str, Any] = {
    "name": "align-small",
    "description": "two alignments, merged",
    "createdAt": "2026-11-22T13:00:00Z",
    "schemaVersion": "1.5",
    "runtimeSystem": {"name": "Nextflow", "version": "26.04.1", "url": "https://nextflow.io"},
    "workflow": {
        "specification": {
            "tasks": [
                {"name": "align_ID0000001", "id": "t1", "parents": [], "children": ["t3"],
                 "inputFiles": ["a.fq"], "outputFiles": ["a.bam"]},
                {"name": "align_ID0000002", "id": "t2", "parents": [], "children": ["t3"],
                 "inputFiles": ["b.fq"], "outputFiles": ["b.bam", "log"]},
                {"name": "merge", "id": "t3", "parents": ["t1", "t2"], "children": []},
            ],
            "files": [{"id": "a.fq", "sizeInBytes": 100}, {"id": "b.fq", "sizeInBytes": 200},
                      {"id": "a.bam", "sizeInBytes": 50}, {"id": "b.bam", "sizeInBytes": 70}],
        },
        "execution": {
            "makespanInSeconds": 90.5,
            "executedAt": "2026-11-22T11:00:00Z",
            "tasks": [
                {"id": "t1", "runtimeInSeconds": 30.25, "executedAt": "2026-11-22T11:00:01Z",
                 "coreCount": 4, "avgCPU": 180.5, "memoryInBytes": 1000000, "readBytes": 100,
                 "writtenBytes": 50, "machines": ["n1"],
                 "command": {"program": "bwa", "arguments": ["mem", "a.fq"]}},
                {"id": "t2", "runtimeInSeconds": 31, "machines": ["n1", "n2"]},
            ],
            "machines": [{"nodeName": "n1", "system": "linux", "architecture": "x86_64",
                          "memoryInBytes": 64000000000, "cpu": {"coreCount": 16}}],
        },
    },
}  # fmt: skip

OLD: dict[str, Any] = {
    "name": "align-small",
    "createdAt": "2026-11-22T13:00:00Z",
    "schemaVersion": "1.4",
    "wms": {"name": "Makeflow", "version": "7.15"},
    "workflow": {
        "makespanInSeconds": 90.5,
        "executedAt": "2026-11-22T11:00:00Z",
        "machines": [{"nodeName": "n1", "cpu": {"count": 16, "speed": 2400}}],
        "tasks": [
            {"name": "align_ID0000001", "id": "ID0000001", "category": "align", "type": "compute",
             "runtimeInSeconds": 30.25, "machine": "n1", "parents": [],
             "children": ["merge_ID0000002"],
             "files": [{"link": "input", "name": "a.fq", "sizeInBytes": 100},
                       {"link": "output", "name": "a.bam", "path": "out/", "sizeInBytes": 50}]},
            {"name": "merge_ID0000002", "id": "ID0000002", "runtimeInSeconds": 5,
             "parents": ["align_ID0000001"], "cores": 2, "avgCPU": 99},
        ],
    },
}  # fmt: skip


def read(tmp_path: Path, what: Any) -> list[Record]:
    path = tmp_path / "run.json"
    path.write_bytes(what if isinstance(what, bytes) else json.dumps(what, indent=1).encode())
    return list(wfformat(path, Context()))


def spans(records: list[Record], kind: str) -> list[Span]:
    return [one for one in records if isinstance(one, Span) and one.type == f"wfformat.{kind}"]


def said(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(span.attributes or "{}")
    return found


def problems(records: list[Record]) -> list[tuple[int | None, str]]:
    return [(one.line, one.kind) for one in records if isinstance(one, Problem)]


def changed(place: str, value: Any) -> dict[str, Any]:
    """NEW with another value at a place: `workflow.execution.tasks.0.runtimeInSeconds`."""
    made = deepcopy(NEW)
    *way, last = place.split(".")
    inner: Any = made
    for part in way:
        inner = inner[int(part) if part.isdecimal() else part]
    inner[int(last) if last.isdecimal() else last] = value
    return made


def test_a_run_its_tasks_and_machines(tmp_path: Path) -> None:
    records = read(tmp_path, NEW)
    (run,), (machine,) = spans(records, "workflow"), spans(records, "machine")
    first, second, third = spans(records, "task")
    assert (run.name, run.start_unix_nano, run.end_unix_nano) == (
        "align-small", NOON, NOON + 90_500_000_000,
    )  # fmt: skip
    assert said(run) == {
        "wfformat.schema_version": "1.5", "wfformat.description": "two alignments, merged",
        "wfformat.created_at": "2026-11-22T13:00:00Z", "wfformat.system": "Nextflow",
        "wfformat.system_version": "26.04.1", "wfformat.makespan_s": 90.5,
    }  # fmt: skip
    assert said(machine) == {
        "host.name": "n1", "host.arch": "x86_64", "os.type": "linux",
        "wfformat.memory_bytes": 64000000000, "wfformat.cores": 16,
    }  # fmt: skip
    assert (first.name, first.line, first.start_unix_nano, first.end_unix_nano) == (
        "align", 1, NOON + 10**9, NOON + 31_250_000_000,
    )  # fmt: skip
    assert said(first) == {
        "wfformat.task.id": "t1", "wfformat.task.name": "align_ID0000001",
        "wfformat.runtime_s": 30.25, "process.executable.name": "bwa",
        "process.command_args": ["mem", "a.fq"], "host.name": "n1", "wfformat.cores": 4,
        "wfformat.avg_cpu_percent": 180.5, "wfformat.read_bytes": 100,
        "wfformat.written_bytes": 50, "wfformat.memory_bytes": 1000000,
        "wfformat.input_files": ["a.fq"], "wfformat.input_bytes": 100,
        "wfformat.output_files": ["a.bam"], "wfformat.output_bytes": 50,
    }  # fmt: skip
    # when it ran is not said, only how long; and not how large all of its files are
    assert (second.start_unix_nano, second.end_unix_nano) == (None, None)
    assert said(second)["wfformat.machines"] == ["n1", "n2"]
    assert "wfformat.output_bytes" not in said(second)
    # it never ran
    assert (third.name, said(third)) == (
        "merge", {"wfformat.task.id": "t3", "wfformat.task.name": "merge"},
    )  # fmt: skip
    links = {one for one in records if isinstance(one, Link)}
    assert links == {
        Link(third.uuid, first.uuid, "depends_on"), Link(third.uuid, second.uuid, "depends_on"),
    }  # fmt: skip
    assert Containment(machine.uuid, first.uuid) in records
    assert Containment(run.uuid, first.uuid) in records
    assert problems(records) == []
    assert records[-1] == Tally(3, 3, 3, {}, utc_offset_how="times show their zone")


def test_version_1_4_says_the_same_in_one_place(tmp_path: Path) -> None:
    records = read(tmp_path, OLD)
    first, second = spans(records, "task")
    assert (first.name, second.name) == ("align", "merge")
    assert said(first) == {
        "wfformat.task.id": "ID0000001", "wfformat.task.name": "align_ID0000001",
        "wfformat.runtime_s": 30.25, "host.name": "n1",
        "wfformat.input_files": ["a.fq"], "wfformat.input_bytes": 100,
        "wfformat.output_files": ["out/a.bam"], "wfformat.output_bytes": 50,
    }  # fmt: skip
    assert said(second)["wfformat.cores"] == 2
    # by names, though tasks have ids; one end says it once more
    assert {one for one in records if isinstance(one, Link)} == {
        Link(second.uuid, first.uuid, "depends_on")
    }
    (machine,) = spans(records, "machine")
    assert said(machine) == {"host.name": "n1", "wfformat.cores": 16, "wfformat.cpu_mhz": 2400}
    assert problems(records) == []


def test_parts_may_stand_in_any_order(tmp_path: Path) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(inner) for key, inner in reversed(value.items())}
        return value

    assert read(tmp_path, turned(NEW)) == read(tmp_path, NEW)


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("workflow.execution.tasks.0.executedAt", "05-10-23T16:23:32Z", "time not understood"),
        ("workflow.execution.tasks.0.runtimeInSeconds", "fast", "no number"),
        ("workflow.execution.tasks.0.runtimeInSeconds", -1, "no number"),
        ("workflow.execution.tasks.0.runtimeInSeconds", float("nan"), "no number"),
        ("workflow.specification.tasks.0.parents", ["nobody"], "no such task"),
        ("workflow.specification.tasks.0.parents", 7, "no such task"),
        ("workflow.specification.tasks.0", "t1", "task not understood"),
        ("workflow.execution.machines.0", "n1", "machine not understood"),
    ],
)
def test_what_is_odd_is_a_problem(tmp_path: Path, place: str, value: Any, expected: str) -> None:
    assert {kind for _, kind in problems(read(tmp_path, changed(place, value)))} >= {expected}


def test_times_without_a_zone_are_told_of(tmp_path: Path) -> None:
    records = read(tmp_path, changed("workflow.execution.executedAt", "2026-11-22T11:00:00"))
    assert [kind for _, kind in problems(records)] == ["no zone"]
    assert spans(records, "workflow")[0].start_unix_nano == NOON


@pytest.mark.parametrize("version", ["1.3", "2.0", 7])
def test_another_version_is_one_line(tmp_path: Path, version: Any) -> None:
    with pytest.raises(UnreadableError, match=r"1\.4, 1\.5, 1\.6 are"):
        read(tmp_path, changed("schemaVersion", version))


@pytest.mark.parametrize("what", [{}, [], 7, {"workflow": {}}, {"workflow": []}, b"", b"\0", b"{"])
def test_what_is_no_wfformat_is_one_line(tmp_path: Path, what: Any) -> None:
    with pytest.raises(UnreadableError, match="no workflow tasks"):
        read(tmp_path, what)


def test_every_cut_keeps_what_came_before(tmp_path: Path) -> None:
    whole = json.dumps(NEW, indent=1).encode()
    counts = []
    for length in range(500, len(whole) - 2, 211):
        records = read(tmp_path, whole[:length]) if _has_a_task(whole[:length]) else []
        if records:
            counts.append(len(spans(records, "task")))
            assert "malformed JSON" in {kind for _, kind in problems(records)}
    assert counts == sorted(counts)
    assert counts[-1] == 3


def _has_a_task(text: bytes) -> bool:
    return text.find(b"}", text.find(b'"tasks"')) > 0 <= text.find(b'"tasks"')


def test_deep_nesting_is_a_problem(tmp_path: Path) -> None:
    text = json.dumps(NEW).replace('"bwa"', "[" * 20_000 + "]" * 20_000)
    records = read(tmp_path, text.encode())
    assert {kind for _, kind in problems(records)} == {"malformed JSON"}


def test_a_store_takes_it_compressed_and_twice(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "run.json.gz"
    path.write_bytes(gzip.compress(json.dumps(NEW).encode()))
    (source,) = store.import_(path).added
    assert (source.importer, source.problems) == ("wfformat", 0)
    (tmp_path / "old.json").write_text(json.dumps(OLD))
    assert store.import_(tmp_path / "old.json").added
    assert store.query(
        "SELECT json_extract(run.attributes, '$.\"wfformat.system\"'), count(*) FROM span "
        "JOIN span AS run ON run.uuid = span.parent_uuid WHERE span.type = 'wfformat.task' "
        "GROUP BY 1 ORDER BY 1"
    ).all() == [("Makeflow", 2), ("Nextflow", 3)]


def test_how_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for made in (NEW, OLD):
        assert recognises(path, json.dumps(made).encode())
        assert recognises(path, json.dumps(made, indent=4).encode()[:600])
    assert recognises(path, gzip.compress(json.dumps(NEW).encode()))
    assert not recognises(path, b'{"resourceSpans": [{"workflow": {"name": 1}}]}')
    assert not recognises(path, b"[]")
