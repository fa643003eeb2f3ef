from __future__ import annotations

import sys

import pytest

from dnpcsql import Event, Span
from dnpcsql.errors import QueryError
from dnpcsql.store import Store


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
