from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dnpcsql
from dnpcsql import Containment, Event, Facet, Link, Problem, Resource, Sample, Scope, Span, Tally
from dnpcsql.errors import DnpcsqlError, NotFoundError, NotOursError, UnreadableError
from dnpcsql.records import Record
from dnpcsql.store import Store
from tests.conftest import Case, dump


def a_bit_of_everything(count: int = 3) -> Iterator[Record]:
    """Spans of one's own, whose uuids are no hex digits at all."""
    yield Resource("host", "{}")
    yield Scope("by hand", "mine")
    for number in range(count):
        uuid = f"my-own-little-span-{number}"
        yield Span(uuid, "mine", "", name="doing", resource_id="host", scope_id="by hand")
        yield Event(f"my-own-little-span-{number}", number * 10**9, "began", number)
        yield Event(f"my-own-little-span-{number}", (number + 1) * 10**9, "done", number)
        yield Containment("a-whole", f"my-own-little-span-{number}")
        yield Facet(f"zebra-{number}", f"my-own-little-span-{number}")
        yield Link(f"xylophone-{number}", "a-whole", "follows")
        yield Sample(f"sampled-only-{number}", number, number, '{"heat": 1.5}')
    yield Problem(7, "odd", "what stood there")
    yield Tally(10, 9, 8, {"N things": (1, False)})


def rows_of(store: Store) -> dict[str, int]:
    counts = {table: len(rows) for table, rows in dump(store).items()}
    return {table: count for table, count in counts.items() if count}


def test_records_of_ones_own_are_added_and_found(store: Store) -> None:
    source = store.add(a_bit_of_everything())
    assert (source.lines, source.records, source.understood, source.problems) == (10, 9, 8, 1)
    assert source.unused() == {"N things": (1, False)}
    assert rows_of(store) == {
        "resource": 1,
        "scope": 1,
        "span": 3,
        "event": 6,
        "subspan": 3,
        "facet": 3,
        "link": 3,
        "sample": 3,
        "problem": 1,
        "source": 1,
    }
    assert store.query("SELECT name, value FROM sample_value LIMIT 1").all() == [("heat", 1.5)]
    assert store.query("SELECT duration_s FROM span_duration").all() == [(1.0,)] * 3


def test_the_same_name_replaces_and_another_name_adds(store: Store) -> None:
    store.add(a_bit_of_everything(5))
    first = dump(store)
    store.add(a_bit_of_everything(5))
    assert dump(store) == first
    store.add(a_bit_of_everything(2))
    assert rows_of(store)["event"] == 4
    store.add(a_bit_of_everything(2), name="again")
    assert rows_of(store)["event"] == 8


def test_a_source_is_forgotten_with_all_that_it_told(store: Store) -> None:
    store.add([Span("other" * 5, "other", "")], name="kept")
    kept = dump(store)
    store.add(a_bit_of_everything(), name="forgotten")
    store.forget("forgotten")
    assert dump(store) == kept


def test_a_resource_that_another_source_has_stays_when_one_is_forgotten(store: Store) -> None:
    store.add(a_bit_of_everything(), name="one")
    store.add([Span("s", "mine", "", resource_id="host")], name="other")
    store.forget("one")
    assert rows_of(store) == {"resource": 1, "source": 1, "span": 1}


@pytest.mark.parametrize(
    "record",
    [
        Containment("one-that-contains", "one-within"),
        Facet("one-account-of-it", "another"),
        Link("one-that-refers", "another", "follows"),
        Sample("what-was-measured", 1, 1, "{}"),
        Event("what-happened-to", 1, "began", 1),
        Span("ÿ-span-of-any-name", "mine", ""),
        Span("short", "mine", ""),
    ],
)
def test_a_source_of_one_kind_of_record_is_replaced_like_any(record: Record, store: Store) -> None:
    store.add([record])
    assert store.query("SELECT runs FROM source").value() != "[]"
    store.add([])
    assert rows_of(store) == {"source": 1}


def _broken() -> Iterator[Record]:
    yield from a_bit_of_everything()
    raise RuntimeError("the log fell down the stairs")


def test_nothing_is_kept_of_a_generator_that_fails(store: Store) -> None:
    store.add([Span("other" * 5, "other", "")], name="kept")
    before = dump(store)
    with pytest.raises(RuntimeError, match="stairs"):
        store.add(_broken())
    assert dump(store) == before
    with pytest.raises(RuntimeError, match="stairs"):
        store.add(_broken(), name="kept")
    assert dump(store) == before
    store.add([])


@pytest.mark.parametrize("wrong", ["a text", ("a", "tuple"), None, {"span_uuid": "s"}])
def test_what_is_no_record_is_refused_in_one_line_and_nothing_is_kept(
    wrong: Any, store: Store
) -> None:
    store.add([Span("other" * 5, "other", "")], name="kept")
    before = dump(store)
    with pytest.raises(UnreadableError, match=r"^mine: .* is no record of dnpcsql's$"):
        store.add([Span("fine" * 7, "fine", ""), wrong], name="mine")
    assert dump(store) == before


@pytest.mark.parametrize(
    "wrong",
    [
        Span(None, "x", ""),  # type: ignore[arg-type]
        Span("u", None, ""),  # type: ignore[arg-type]
        Span(7, "x", ""),  # type: ignore[arg-type]
        Event("u", None, "x", 1),  # type: ignore[arg-type]
        Event("u", 1, None, 1),  # type: ignore[arg-type]
        Event("u", 1, "x", None),  # type: ignore[arg-type]
        Event("u", 2**63, "x", 1),
        Event("u", 1, "x", 1, attributes={"a": 1}),  # type: ignore[arg-type]
        Link("u", None, "x"),  # type: ignore[arg-type]
        Sample("u", 1, 1, ["a list"]),  # type: ignore[arg-type]
    ],
)
def test_a_record_that_no_table_takes_is_a_problem_and_the_others_are_kept(
    wrong: Any, store: Store
) -> None:
    good: list[Record] = [
        Span("fine" * 7, "fine", ""),
        *[Event("fine" * 7, 1, "a", n) for n in range(9)],
    ]
    source = store.add([*good, wrong, Event("fine" * 7, 1, "a", 99), *good[-2:]])
    assert source.problems == 3
    assert store.query("SELECT kind, count FROM problem ORDER BY kind").all() == [
        ("record refused", 1),
        ("told twice", 2),
    ]
    assert store.query("SELECT count(*) FROM event").value() == 10
    assert store.query("SELECT count(*) FROM span").value() == 1


def test_a_later_record_of_a_span_adds_what_it_knows(store: Store) -> None:
    store.add(
        [
            Span("s", "mine", "", name="early", attributes='{"a": 1}'),
            Span("s", "mine", "", status_code=2, name="late"),
        ]
    )
    sql = "SELECT name, attributes, status_code FROM span"
    assert store.query(sql).all() == [("late", '{"a": 1}', 2)]


def test_start_end_and_status_are_those_of_the_spans_own_source(store: Store) -> None:
    """What another file tells of a span does not move its ends, in whatever order they come."""
    span: list[Record] = [
        Span("s" * 28, "mine", ""),
        Event("s" * 28, 10, "a", 1),
        Event("s" * 28, 20, "b", 2),
    ]
    other = [Event("s" * 28, 5, "early", 1), Event("s" * 28, 90, "late", 2)]
    sql = "SELECT start_unix_nano, end_unix_nano FROM span"
    store.add(span, name="a")
    store.add(other, name="b")
    assert store.query(sql).all() == [(10, 20)]
    store.add(span, name="a")
    assert store.query(sql).all() == [(10, 20)]


def test_what_a_file_tells_takes_the_place_of_what_was_inferred(store: Store) -> None:
    store.add([])
    for table, names in (
        ("subspan", "superspan_uuid, subspan_uuid, key"),
        ("facet", "left_uuid, right_uuid"),
    ):
        values = "'a', 'b', ''" if table == "subspan" else "'a', 'b'"
        store.writing().execute(
            f"INSERT INTO {table} ({names}, note) VALUES ({values}, 'inferred')"
        )
    store.add([Containment("a", "b", note="told"), Facet("a", "b", "told")], name="teller")
    for table in ("subspan", "facet"):
        assert store.query(f"SELECT note, source_id FROM {table}").all() == [("told", 2)]
    store.forget("teller")
    assert rows_of(store) == {"source": 1}


def test_equal_events_of_one_line_are_counted_and_kept_once(store: Store) -> None:
    source = store.add([Span("s", "mine", ""), *[Event("s", 1, "a", 1)] * 3])
    assert store.query("SELECT kind, count FROM problem").all() == [("told twice", 2)]
    assert source.problems == 2


def test_many_problems_of_a_kind_are_counted_and_the_first_kept(store: Store) -> None:
    source = store.add(Problem(line, "odd", f"text {line}") for line in range(1, 2501))
    assert source.problems == 2500
    rows = store.query("SELECT line, text, count FROM problem ORDER BY line").all()
    assert len(rows) == 1001
    assert rows[:2] == [(0, "and more of this kind", 1500), (1, "text 1", 1)]


def test_a_long_problem_is_cut(store: Store) -> None:
    store.add([Problem(1, "odd", "x" * 10**6)])
    assert store.query("SELECT length(text) FROM problem").value() == 500


# The file


def test_the_database_is_named_by_argument_environment_or_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DNPCSQL_DB", raising=False)
    assert dnpcsql.open().path == Path("dnpc.sqlite3")
    monkeypatch.setenv("DNPCSQL_DB", "named.sqlite3")
    assert dnpcsql.open().path == Path("named.sqlite3")
    assert dnpcsql.open(tmp_path / "given.sqlite3").path == tmp_path / "given.sqlite3"
    assert list(tmp_path.iterdir()) == []


def test_a_store_says_what_it_is(store: Store, tmp_path: Path) -> None:
    assert "no database" in repr(store)
    store.add(a_bit_of_everything())
    assert repr(store) == f"<dnpcsql.Store {store.path}: 1 sources>"
    (tmp_path / "notes.txt").write_text("hello")
    assert "is not an SQLite database" in repr(Store(tmp_path / "notes.txt"))


def test_a_store_can_be_read_after_it_was_written_and_closed(store: Store) -> None:
    store.add(a_bit_of_everything())
    assert len(store.query("SELECT * FROM event").all()) == 6
    assert [row[0] for row in store.query("SELECT line FROM event LIMIT 2")] == [0, 0]
    store.close()
    assert store.query("SELECT count(*) FROM event").value() == 6
    with pytest.raises(DnpcsqlError, match="queries only read"):
        store.query("DELETE FROM event")
    store.add(a_bit_of_everything(), name="more")
    with pytest.raises(DnpcsqlError, match="queries only read"):
        store.query("DELETE FROM event")
    assert store.query("SELECT count(*) FROM event").value() == 12


def test_a_database_of_another_version_is_not_written_to(tmp_path: Path, case: Case) -> None:
    (tmp_path / "dnpc.sqlite3").write_bytes(b"")
    old = Store(tmp_path / "dnpc.sqlite3")
    old.writing().executescript("PRAGMA user_version = 99")
    old.close()
    for call in (
        lambda: old.add(a_bit_of_everything()),
        lambda: old.forget("x"),
        lambda: old.query("span"),
        lambda: old.import_(case("parsl-2026.10.26-killed")),
    ):
        with pytest.raises(NotOursError, match="schema version 99"):
            call()


# Files that change


@pytest.fixture
def log(copy: Case) -> Path:
    return copy("parsl-2026.10.26-killed") / "000" / "parsl.log"


def test_importing_again_reads_and_changes_nothing(copy: Case, store: Store) -> None:
    runinfo = copy("parsl-2023.12.18-full")
    first = store.import_(runinfo)
    before, modified = dump(store), store.path.stat().st_mtime_ns
    again = store.import_(runinfo)
    assert len(first.added) == len(again.unchanged) == 3
    assert again.added == []
    assert dump(store) == before
    assert store.path.stat().st_mtime_ns == modified


def test_a_file_that_was_only_touched_is_not_read_again(log: Path, store: Store) -> None:
    store.import_(log)
    os.utime(log, ns=(1, 1))
    assert store.import_(log).added == []
    assert store.query("SELECT modified_unix_nano FROM source").value() == 1
    assert store.import_(log).added == []


def test_a_file_that_grew_is_read_again_without_doubling(
    log: Path, store: Store, tmp_path: Path
) -> None:
    whole = log.read_bytes()
    half = whole.index(b"\n", len(whole) // 2) + 1
    log.write_bytes(whole[:half])
    store.import_(log)
    some = rows_of(store)
    log.write_bytes(whole)
    assert len(store.import_(log).added) == 1
    assert rows_of(store)["event"] > some["event"]
    with Store(tmp_path / "fresh.sqlite3") as fresh:
        fresh.import_(log)
        assert dump(store) == dump(fresh)


def test_a_file_that_was_cut_loses_what_it_no_longer_tells(
    log: Path, store: Store, tmp_path: Path
) -> None:
    store.import_(log)
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    store.import_(log)
    with Store(tmp_path / "fresh.sqlite3") as fresh:
        fresh.import_(log)
        assert dump(store) == dump(fresh)


def test_a_moved_tree_is_known_again(copy: Case, store: Store, tmp_path: Path) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    store.import_(runinfo)
    before = dump(store, runinfo)
    moved = shutil.move(runinfo, tmp_path / "elsewhere")
    done = store.import_(moved)
    assert done.added == []
    assert dump(store, tmp_path / "elsewhere") == before


def test_a_copy_of_a_tree_is_not_imported_twice(copy: Case, store: Store, tmp_path: Path) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    store.import_(runinfo)
    before = dump(store)
    shutil.copytree(runinfo, tmp_path / "copy")
    assert store.import_(tmp_path / "copy").added == []
    assert dump(store) == before


def test_a_tree_moved_over_another_replaces_it(copy: Case, store: Store, tmp_path: Path) -> None:
    killed, elastic = copy("parsl-2026.10.26-killed"), copy("parsl-2025.9.15-elastic")
    place = tmp_path / "runinfo"
    shutil.copytree(elastic, place)
    store.import_(killed, place)
    shutil.rmtree(place)
    shutil.move(killed, place)
    store.import_(place)
    with Store(tmp_path / "fresh.sqlite3") as fresh:
        fresh.import_(place)
        told = "SELECT * FROM event WHERE span_uuid LIKE '6b653903b644%' ORDER BY uuid"
        assert (
            store.query(told)
            .df()
            .drop(columns="source_id")
            .equals(fresh.query(told).df().drop(columns="source_id"))
        )
        told = "SELECT path, fingerprint FROM source WHERE path NOT LIKE '%.ec' ORDER BY path"
        assert store.query(told).all() == fresh.query(told).all()


# Forgetting


def test_a_run_or_a_source_is_forgotten_and_comes_back(case: Case, store: Store) -> None:
    runinfo = case("parsl-2025.9.15-multi") / "runinfo"
    store.import_(runinfo)
    before = dump(store)
    runs = [run.id for run in store.runs()]
    store.forget(runs[0])
    assert [run.id for run in store.runs()] == runs[1:]
    store.import_(runinfo)
    assert dump(store) == before
    store.forget("003/parsl.log")
    assert rows_of(store)["source"] == len(before["source"]) - 1
    store.import_(runinfo)
    assert dump(store) == before


def test_forgetting_all_leaves_an_empty_database(case: Case, store: Store) -> None:
    store.import_(case("parsl-2025.9.15-elastic") / "runinfo")
    for source in store.sources():
        store.forget(source.path)
    assert rows_of(store) == {}


def test_what_is_not_there_cannot_be_forgotten(case: Case, store: Store) -> None:
    store.import_(case("parsl-2025.9.15-elastic") / "runinfo")
    with pytest.raises(NotFoundError):
        store.forget("nothing.log")


def test_two_trees_in_one_database_do_not_touch_each_other(
    case: Case, store: Store, tmp_path: Path
) -> None:
    killed, elastic = case("parsl-2026.10.26-killed"), case("parsl-2025.9.15-elastic")
    store.import_(killed, elastic)
    with Store(tmp_path / "one.sqlite3") as one:
        one.import_(elastic)
        alone = dump(one)
        one.import_(killed)
        assert dump(one) == dump(store)
    for source in store.sources():
        if "killed" in source.path:
            store.forget(source.path)
    assert dump(store) == alone
