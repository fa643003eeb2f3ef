from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dnpcsql import Event, Span
from dnpcsql.errors import QueryError
from dnpcsql.store import Store
from tests.conftest import Case


@pytest.fixture(params=["just written", "opened for reading"])
def filled(request: pytest.FixtureRequest, store: Store) -> Store:
    store.add(
        [
            Span("s" * 28, "mine", "", name="<b>&"),
            *(Event("s" * 28, n * 10**9, "tick", n) for n in range(50)),
        ]
    )
    if request.param == "opened for reading":
        store.close()
    return store


def test_rows_are_iterated_once_or_kept(filled: Store) -> None:
    result = filled.query("SELECT line, type FROM event ORDER BY line LIMIT 2")
    assert result.columns == ["line", "type"]
    assert list(result) == [(0, "tick"), (1, "tick")]
    kept = filled.query("SELECT line FROM event LIMIT 3")
    assert kept.all() == kept.all() == list(kept) == [(0,), (1,), (2,)]


def test_rows_come_as_dictionaries_a_value_or_a_frame(filled: Store) -> None:
    assert filled.query("SELECT 1 AS a, 'x' AS b").dicts() == [{"a": 1, "b": "x"}]
    assert filled.query("SELECT 1 AS a, 2").value() == 1
    assert filled.query("SELECT 1 WHERE 0").value() is None
    frame = filled.query("SELECT line, time FROM event").df()
    assert list(frame.columns) == ["line", "time"]
    assert len(frame) == 50


def test_a_frame_needs_pandas(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(QueryError, match=r"pip install 'dnpcsql\[pandas\]'"):
        filled.query("SELECT 1").df()


def test_a_notebook_shows_some_rows_and_how_many_there_are(filled: Store) -> None:
    shown = filled.query("SELECT line FROM event")._repr_html_()
    assert shown.count("<tr>") == 21
    assert "<p>50 rows</p>" in shown
    assert "&lt;b&gt;&amp;" in filled.query("SELECT name FROM span")._repr_html_()


def test_the_name_of_a_view_or_table_is_a_query(filled: Store) -> None:
    assert filled.query("span_type").dicts()[0]["type"] == "mine"
    assert filled.query(" event ").columns == filled.query("SELECT * FROM event").columns


def test_values_are_bound_and_never_formatted_in(filled: Store) -> None:
    sql = "SELECT count(*) FROM event WHERE type = :type AND line < :line"
    assert filled.query(sql, type="tick", line=10).value() == 10
    assert filled.query(sql, type="tick' OR 1 --", line=10).value() == 0


def test_an_earlier_result_can_be_read_on_while_another_is_asked_for(filled: Store) -> None:
    first = iter(filled.query("SELECT line FROM event ORDER BY line"))
    assert next(first) == (0,)
    assert filled.query("SELECT count(*) FROM event").value() == 50
    assert [line for (line,) in first] == list(range(1, 50))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM evnt", r"no such table: evnt \(did you mean event\?"),
        ("evnt", r"no such table: evnt \(did you mean event\?"),
        ("SELECT * FROM quite_another", r"no such table: quite_another \(`dnpcsql views`"),
        ("SELECT tipe FROM event", r"no such column: tipe \(did you mean type\?"),
        ("SELECT event.tipe FROM event", r"no such column: event.tipe \(did you mean type\?"),
        ("SELECT :wanted", r"give it by --param name=value"),
        ("SELEKT 1", "syntax error"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("DELETE FROM event", "queries only read"),
        ("CREATE TABLE mine (x)", "queries only read"),
        ("DROP VIEW parsl_task", "queries only read"),
        ("PRAGMA user_version = 7", "queries only read"),
    ],
)
def test_what_sqlite_does_not_take_is_told_in_one_line(sql: str, said: str, filled: Store) -> None:
    with pytest.raises(QueryError, match=said) as error:
        filled.query(sql)
    assert "\n" not in str(error.value)
    assert filled.query("SELECT count(*) FROM event").value() == 50


def test_an_error_while_rows_are_read_is_told_in_one_line(filled: Store) -> None:
    sql = "SELECT json_extract(CASE line WHEN 40 THEN 'x{' ELSE '{}' END, '$.a') FROM event"
    with pytest.raises(QueryError, match="malformed JSON"):
        filled.query(sql).all()


def test_a_column_that_two_tables_have_is_told_as_such(filled: Store) -> None:
    with pytest.raises(QueryError, match="ambiguous column name"):
        filled.query("SELECT type FROM event, span")


# Exact, whole, harmless

LATE = 1795331212928108123  # as a float it would be 1795331212928108032


def test_arrays_keep_nanoseconds_exact(store: Store) -> None:
    import numpy

    store.add(
        [
            Span("a" * 28, "mine", "", start_unix_nano=LATE, end_unix_nano=LATE + 1),
            Span("b" * 28, "mine", "", start_unix_nano=LATE + 2),
        ]
    )
    sql = (
        "SELECT start_unix_nano, end_unix_nano, (end_unix_nano - start_unix_nano) / 1e9 AS s, type "
        "FROM span ORDER BY uuid"
    )
    arrays = store.query(sql).arrays()
    assert arrays["start_unix_nano"].dtype == numpy.int64
    assert arrays["start_unix_nano"].tolist() == [LATE, LATE + 2]
    assert arrays["end_unix_nano"].dtype == numpy.int64
    assert arrays["end_unix_nano"].tolist() == [LATE + 1, None]  # masked
    assert arrays["s"].dtype == numpy.float64
    assert numpy.isnan(arrays["s"]).tolist() == [False, True]
    assert arrays["type"].tolist() == ["mine", "mine"]
    frame = store.query(sql).df()
    assert frame["start_unix_nano"].tolist() == [LATE, LATE + 2]
    assert frame["end_unix_nano"].dtype == "Int64"
    assert int(frame["end_unix_nano"][0]) == LATE + 1
    assert frame["end_unix_nano"].isna().tolist() == [False, True]


def test_arrays_of_no_rows_have_no_length(filled: Store) -> None:
    arrays = filled.query("SELECT line, type FROM event WHERE 0").arrays()
    assert {name: len(array) for name, array in arrays.items()} == {"line": 0, "type": 0}


def test_pandas_reads_the_file_with_none_of_our_code(store: Store) -> None:
    import sqlite3
    from contextlib import closing

    import pandas

    store.add([Span("a" * 28, "mine", "", start_unix_nano=LATE, end_unix_nano=LATE + 1)])
    with closing(sqlite3.connect(store.path)) as connection:
        frame = pandas.read_sql_query("SELECT * FROM span_duration", connection)
    assert frame["start_unix_nano"].tolist() == [LATE]


def test_columns_that_share_a_name_are_all_kept(filled: Store) -> None:
    result = filled.query("SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a")
    assert result.columns == ["a", "a", "a_2", "a"]
    assert result.dicts() == [{"a": 1, "a_3": 2, "a_2": 3, "a_4": 4}]
    assert list(result.df().columns) == list(result.arrays()) == ["a", "a_3", "a_2", "a_4"]


def test_nothing_that_is_stored_is_taken_for_html(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    with Store(tmp_path / f"{hostile.replace('/', '')}.sqlite3") as store:
        store.add([Span("a" * 28, "mine", "", name=hostile * 30)])
        for shown in (
            store._repr_html_(),
            store.query(f'SELECT name AS "{hostile}" FROM span')._repr_html_(),
        ):
            assert "<script" not in shown
            assert "&lt;script&gt;" in shown
        assert (
            store.query("SELECT NULL, x'00ff'")
            ._repr_html_()
            .endswith("<tr><td></td><td>2 bytes</td></tr></tbody></table>")
        )


def test_a_notebook_shows_what_a_store_holds(case: Case, store: Store, tmp_path: Path) -> None:
    store.import_(case("parsl-2026.10.26-killed") / "runinfo")
    shown = store._repr_html_()
    assert "killed workflow" in shown
    assert "monitoring.db" in shown
    missing = Store(tmp_path / "none.sqlite3")
    assert "no database" in missing._repr_html_()
