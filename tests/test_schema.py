from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dnpcsql import records, schema
from dnpcsql.database import connect

# The columns of 2022, by which the dnpc tables are known.
DNPC = {
    "span": {"uuid", "type", "note"},
    "event": {"uuid", "span_uuid", "time", "type", "note"},
    "subspan": {"superspan_uuid", "subspan_uuid", "key"},
    "facet": {"left_uuid", "right_uuid", "note"},
}
RECORDS = {
    records.Span: "span",
    records.Event: "event",
    records.Containment: "subspan",
    records.Facet: "facet",
    records.Link: "link",
    records.Sample: "sample",
    records.Resource: "resource",
    records.Scope: "scope",
}


def columns(path: Path, table: str) -> set[str]:
    with closing(connect(path, write=True)) as connection:
        return {row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})")}


@pytest.mark.parametrize(("table", "expected"), DNPC.items())
def test_the_tables_of_2022_are_there(table: str, expected: set[str], tmp_path: Path) -> None:
    assert expected <= columns(tmp_path / "dnpc.sqlite3", table)


@pytest.mark.parametrize(("record", "table"), RECORDS.items())
def test_each_field_of_a_record_is_a_column(record: type, table: str, tmp_path: Path) -> None:
    fields = set(record._fields)  # type: ignore[attr-defined]
    assert fields <= columns(tmp_path / "dnpc.sqlite3", table)


def test_every_table_and_column_is_explained() -> None:
    for table in schema.metadata.sorted_tables:
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def test_every_table_is_without_rowid() -> None:
    made = [text for text in schema.statements() if "CREATE TABLE" in text]
    assert len(made) == len(schema.metadata.tables) == 10
    assert [text for text in made if "WITHOUT ROWID" not in text] == []


def test_an_event_knows_its_time_in_seconds_and_has_a_name(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "dnpc.sqlite3", write=True)) as connection:
        connection.execute(
            "INSERT INTO event (span_uuid, time_unix_nano, type, source_id, line) "
            "VALUES ('s', 1795331200508034001, 'running', 1, 7)"
        )
        assert connection.execute("SELECT time, uuid FROM event").fetchone() == (
            pytest.approx(1795331200.508034, abs=1e-6),
            "s.7.running",
        )


def test_a_spans_trace_and_span_id_are_in_its_uuid_unless_it_has_its_own(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "dnpc.sqlite3", write=True)) as connection:
        connection.executemany(
            "INSERT INTO span (uuid, type, trace_high, original_span_id) VALUES (?, 'x', ?, ?)",
            [
                ("6b653903b6442200000555550000", "71d4a7516867449fb893", None),
                ("6b653903b6449000000000000001", "71d4a7516867449fb893", "00f067aa0ba902b7"),
            ],
        )
        found = connection.execute("SELECT trace_id, span_id FROM span ORDER BY uuid").fetchall()
    assert found == [
        ("71d4a7516867449fb8936b653903b644", "2200000555550000"),
        ("71d4a7516867449fb8936b653903b644", "00f067aa0ba902b7"),
    ]


def test_the_file_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "dnpc.sqlite3"
    connect(path, write=True).close()
    with closing(sqlite3.connect(path)) as connection:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    assert (application.to_bytes(4, "big"), version, journal) == (b"DNPC", 1, "delete")


def test_schema_sql_is_what_schema_py_says(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "dnpc.sqlite3", write=True)) as made:
        found = dict(made.execute("SELECT name, sql FROM sqlite_master WHERE type <> 'view'"))
    stated = sqlite3.connect(":memory:")
    for statement in schema.statements():
        stated.execute(statement)
    expected = dict(stated.execute("SELECT name, sql FROM sqlite_master"))
    stated.close()
    # Releases of SQLAlchemy may set their blanks and line ends otherwise.
    assert {name: (sql or "").split() for name, sql in found.items()} == {
        name: (sql or "").split() for name, sql in expected.items()
    }
