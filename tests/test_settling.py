"""Foreign spans that share their ids are all kept, whatever the order of imports."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.otlp.reading import Reader, foreign_traces
from dnpcsql.store import Store
from tests.conftest import dump
from tests.importers.test_bad_traces import a_document, a_span, problems


def write(folder: Path, files: Mapping[str, Sequence[dict[str, Any]]]) -> list[Path]:
    for name, spans in files.items():
        (folder / name).write_text(a_document(*spans))
    return [folder / name for name in files]


def span_ids(store: Store) -> list[tuple[str, str]]:
    return store.query("SELECT span_id, name FROM span ORDER BY name, uuid").all()


def an_event(name: str) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": "5"}


ONE = a_span(1, name="one", events=[an_event("a")])
OTHER = a_span(1, name="other", events=[an_event("b")], links=[{"traceId": "1" * 32}])
THIRD = a_span(1, name="third")
CHILD = a_span(2, name="child", parentSpanId=f"{1:016x}")


def test_spans_of_one_id_keep_their_own_events_and_links(tmp_path: Path, store: Store) -> None:
    store.import_(*write(tmp_path, {"a": [ONE, OTHER, CHILD]}))
    assert span_ids(store) == [
        (f"{2:016x}", "child"),
        (f"{1:016x}", "one"),
        (f"{1:016x}", "other"),
    ]
    events = "SELECT name, event.type FROM span JOIN event ON span_uuid = span.uuid ORDER BY 1"
    assert store.query(events).all() == [("one", "a"), ("other", "b")]
    links = "SELECT name FROM span JOIN link ON span_uuid = span.uuid"
    assert store.query(links).all() == [("other",)]
    assert problems(store)["ids told twice"] == 1
    reader = Reader(store.reading())
    (trace,) = foreign_traces(store.reading())
    told = {one.span.name: one for group in reader.groups(trace) for one in group.spans}
    assert [event.type for event in told["other"].events] == ["b"]


def test_equal_spans_of_one_file_are_all_kept(tmp_path: Path, store: Store) -> None:
    store.import_(*write(tmp_path, {"a": [ONE, ONE, OTHER, ONE, OTHER]}))
    assert [name for _, name in span_ids(store)] == ["one"] * 3 + ["other"] * 2
    assert problems(store)["told twice"] == 3
    assert problems(store)["ids told twice"] == 1


def test_what_two_files_tell_alike_is_one_span(tmp_path: Path, store: Store) -> None:
    store.import_(*write(tmp_path, {"a": [ONE, ONE, CHILD], "b": [ONE, CHILD, THIRD]}))
    assert [name for _, name in span_ids(store)] == ["child", "one", "one", "third"]
    assert store.query("SELECT count(*) FROM event").value() == 2


FILES = {"a": [ONE, CHILD], "b": [OTHER, CHILD], "c": [THIRD, ONE, ONE]}


@pytest.mark.parametrize("order", list(itertools.permutations(FILES)), ids="".join)
def test_the_order_of_imports_does_not_matter(tmp_path: Path, order: tuple[str, ...]) -> None:
    write(tmp_path, FILES)
    dumps = []
    for number, names in enumerate((sorted(FILES), order)):
        with Store(tmp_path / f"{number}.sqlite3") as store:
            for name in names:
                store.import_(tmp_path / name)
            dumps.append(dump(store))
    assert dumps[0] == dumps[1]


@pytest.mark.parametrize("gone", sorted(FILES))
def test_forgetting_one_file_and_importing_again_restores_what_others_tell(
    tmp_path: Path, gone: str
) -> None:
    paths = write(tmp_path, FILES)
    rest = [path for path in paths if path.name != gone]
    with Store(tmp_path / "forgotten.sqlite3") as store:
        store.import_(*paths)
        store.forget(str(tmp_path / gone))
        store.import_(*rest)
        with Store(tmp_path / "fresh.sqlite3") as fresh:
            fresh.import_(*rest)
            assert dump(store) == dump(fresh)
        assert store.import_(*rest).added == []


def test_importing_again_what_grew(tmp_path: Path, store: Store) -> None:
    write(tmp_path, {"a": [ONE], "b": [ONE, OTHER]})
    store.import_(tmp_path)
    write(tmp_path, {"a": [ONE, THIRD, OTHER]})
    store.import_(tmp_path)
    store.import_(tmp_path)
    assert [name for _, name in span_ids(store)] == ["one", "other", "third"]
    assert len(store.import_(tmp_path).unchanged) == 2


def test_zipkins_two_ends_of_a_call_are_no_problem(tmp_path: Path, store: Store) -> None:
    ends = [
        {"traceId": "1e223ff1f80f1c69", "id": "74280ae0c10d8062", "kind": kind, "name": "post",
         "timestamp": 1470150004008761, "duration": 5, "localEndpoint": {"serviceName": service}}
        for kind, service in (("CLIENT", "a"), ("SERVER", "b"))
    ]  # fmt: skip
    ends[1]["shared"] = True
    (tmp_path / "zipkin").write_text(json.dumps(ends))
    store.import_(tmp_path / "zipkin")
    assert problems(store) == {}
    rows = store.query("SELECT DISTINCT trace_id, span_id, type FROM span").all()
    assert rows == [("0" * 16 + "1e223ff1f80f1c69", "74280ae0c10d8062", "zipkin.span")]
    assert store.query("SELECT count(*) FROM span").value() == 2
