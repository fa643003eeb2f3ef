"""A database that was harmed, by what harmed it: each fault is found, and nothing else is."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dnpcsql.checks import DAMAGED, NOTE, ODD
from dnpcsql.checks.cycles import circles, rounds
from dnpcsql.records import Event, Span
from dnpcsql.store import Store
from tests.conftest import Case

RUNS = [
    "parsl-2023.12.18-full",
    "parsl-2025.9.15-multi",
    "parsl-2026.10.26-killed",
    "parsl-2026.10.26-workqueue",
]


@pytest.fixture(scope="module")
def imported(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of one real run. To be read."""
    path = tmp_path_factory.mktemp("check") / "dnpc.sqlite3"
    with Store(path) as store:
        store.import_(case("parsl-2026.10.26-killed") / "runinfo")
    return path


@pytest.fixture
def harmed(imported: Path, tmp_path: Path) -> Callable[..., list[tuple[str, str, int]]]:
    """What a check says after some SQL: (level, what, count)."""

    def find(*statements: str) -> list[tuple[str, str, int]]:
        path = tmp_path / "harmed.sqlite3"
        shutil.copy(imported, path)
        connection = sqlite3.connect(path)
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement
        connection.commit()
        connection.close()
        with Store(path) as store:
            found = store.check()
            for one in found:
                if one.more.startswith('dnpcsql query "'):
                    sql = one.more[len('dnpcsql query "') : -1].replace('\\"', '"')
                    assert store.query(sql).all(), "what shows more of it shows something"
        return [one[:3] for one in found]

    return find


@pytest.mark.parametrize("name", RUNS)
def test_a_real_run_is_whole_even_if_it_was_killed(name: str, case: Case, store: Store) -> None:
    store.import_(case(name) / "runinfo")
    assert [one for one in store.check() if one.fails] == []


TRY = "(SELECT uuid FROM span WHERE type = 'parsl.rundir.try' ORDER BY uuid LIMIT 1)"
TASK = "(SELECT parent_uuid FROM span WHERE type = 'parsl.rundir.try' ORDER BY uuid LIMIT 1)"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param(
            f"UPDATE span SET end_unix_nano = start_unix_nano - 5 WHERE uuid = {TRY}",
            [(ODD, "spans that end before they start", 1)],
            id="a duration that is negative",
        ),
        pytest.param(
            "DELETE FROM span WHERE uuid = (SELECT span_uuid FROM sample LIMIT 1)",
            [
                (ODD, "events without a span: the line that told of it is lost", 5),
                (ODD, "readings without a span: the line that told of it is lost", 2),
                (ODD, "relations of spans that are not there", 2),
            ],
            id="a span that is gone",
        ),
        pytest.param(
            f"UPDATE span SET parent_uuid = substr(parent_uuid, 1, 14) || '99999999990000' "
            f"WHERE uuid = {TRY}",
            [(ODD, "spans whose parent is missing, though its teller is here", 1)],
            id="a parent that nobody told of",
        ),
        pytest.param(
            f"UPDATE span SET parent_uuid = {TRY} WHERE uuid = {TASK}",
            [(ODD, "circles of parents", 1)],
            id="a task whose parent is its try",
        ),
        pytest.param(
            f"INSERT INTO subspan (superspan_uuid, subspan_uuid, key) VALUES ({TRY}, {TRY}, '')",
            [(ODD, "circles of containment", 1)],
            id="a try in itself",
        ),
        pytest.param(
            "UPDATE event SET time_unix_nano = 7 WHERE type = 'running'",
            [
                (ODD, "events outside their run, by more than a minute", 13),
                (ODD, "times before the year 2000, or still to come", 13),
            ],
            id="events of 1970",
        ),
        pytest.param(
            "UPDATE span SET attributes = '{\"a\": NaN}' WHERE type = 'parsl.rundir.workflow'",
            [(DAMAGED, "attributes that are no JSON", 1)],
            id="attributes that SQL cannot read",
        ),
        pytest.param(
            "UPDATE source SET id = 99 WHERE importer = 'parsl.log'",
            [(DAMAGED, "rows whose source is not there", 1)],
            id="a source that is gone",
        ),
        pytest.param(
            "DROP INDEX facet_reverse",
            [(DAMAGED, "tables and indexes that are not as they should be", 1)],
            id="an index that is gone",
        ),
        pytest.param(
            "DROP VIEW worker_load",
            [(NOTE, "views of another release of dnpcsql", 1)],
            id="a view that is gone",
        ),
        pytest.param("CREATE TABLE mine (a)", [], id="a table of one's own"),
    ],
)
def test_each_fault_is_found(
    sql: str,
    expected: list[tuple[str, str, int]],
    harmed: Callable[..., list[tuple[str, str, int]]],
) -> None:
    assert harmed(sql) == expected


def test_a_page_that_was_overwritten(imported: Path, tmp_path: Path) -> None:
    data = bytearray(imported.read_bytes())
    data[40_960 : 40_960 + 2_000] = bytes(2_000)
    path = tmp_path / "dnpc.sqlite3"
    path.write_bytes(bytes(data))
    with Store(path) as store:
        found = store.check()
    assert found[0].level == DAMAGED
    assert found[0].fails


def test_files_that_changed_moved_or_were_only_touched(copy: Case, store: Store) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    store.import_(runinfo)
    log = runinfo / "000" / "parsl.log"
    database = runinfo / "monitoring.db"
    os.utime(database, (1, 1))
    assert store.check() == []
    with log.open("a") as file:
        file.write("one line more\n")
    database.unlink()
    changed, gone = store.check()
    assert (changed.level, changed.what) == (ODD, "files that changed since they were read")
    assert changed.examples[0].startswith(f"{log}  ")
    assert (gone.level, gone.examples) == (NOTE, (str(database),))


def test_what_other_programs_left_out_is_a_note(store: Store) -> None:
    trace = "ab" * 10
    store.add(
        [
            Span("c" * 12 + "1" * 16, "otel.span", trace, parent_uuid="c" * 12 + "2" * 16),
            Span("c" * 12 + "3" * 16, "otel.span", trace, parent_uuid="c" * 12 + "3" * 16),
            Event("c" * 12 + "1" * 16, 1_700_000_000_000_000_000, "x", 1),
        ]
    )
    assert [(one.level, one.times) for one in store.check()] == [(ODD, 1), (NOTE, 1)]


def test_circles_are_found_among_what_only_leads_to_them() -> None:
    edges = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "a"), ("a", "y"), ("z", "z"), ("p", "q")]
    left = circles(edges)
    assert sorted(left) == ["a", "b", "c", "z"]
    assert list(rounds(left)) == [["a", "b", "c", "a"], ["z", "z"]]


def test_a_chain_of_any_depth_is_no_circle() -> None:
    assert circles((number, number + 1) for number in range(100_000)) == {}
