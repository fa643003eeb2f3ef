"""Commands that print rows, in all formats, and their errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dnpcsql.cli import COMMANDS
from tests.cli.conftest import Run
from tests.conftest import Case


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(dnpcsql: Run, command: str) -> None:
    ran = dnpcsql(command, "--help")
    assert ran.status == 0
    assert ran.out.startswith("Usage: ")


def test_tasks_are_printed_a_line_each(killed: Run) -> None:
    lines = killed("tasks", "last").out.splitlines()
    assert lines[0].split() == [
        "task_id",
        "app",
        "state",
        "tries",
        "executor",
        "invoked_s",
        "seconds",
    ]
    assert len(lines) == 1 + 23


def test_a_query_in_each_format(killed: Run) -> None:
    sql = "SELECT 1 AS one, NULL AS none, 'a,b' AS text"
    shown = {name: killed("query", sql, "--format", name).out for name in ("csv", "tsv", "jsonl")}
    assert shown["csv"] == 'one,none,text\n1,,"a,b"\n'
    assert shown["tsv"] == "one\tnone\ttext\n1\t\ta,b\n"
    assert json.loads(shown["jsonl"]) == {"one": 1, "none": None, "text": "a,b"}
    assert json.loads(killed("query", sql, "--format", "json").out) == [json.loads(shown["jsonl"])]
    assert killed("query", sql).out == "one  none  text\n  1        a,b\n"


def test_a_query_takes_values_views_and_files(killed: Run, tmp_path: Path) -> None:
    rows = killed(
        "query", "SELECT count(*) AS n FROM parsl_task WHERE app = :app", "--param", "app=work",
        "--format", "csv",
    )  # fmt: skip
    assert rows.out == "n\n18\n"
    assert "problem" in killed("query", "source_summary").out
    (tmp_path / "q.sql").write_text("SELECT 2 AS two;\n")
    assert killed("query", tmp_path / "q.sql").out == "two\n  2\n"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM parsl_taks", "no such table: parsl_taks (did you mean parsl_task?"),
        ("SELECT stat FROM parsl_task", "no such column: stat (did you mean state?"),
        ("DELETE FROM span", "attempt to write a readonly database: queries only read"),
        ("SELECT :x", "give it by --param name=value"),
        ("SELEC 1", 'near "SELEC": syntax error'),
    ],
)
def test_a_wrong_query_is_one_line(killed: Run, sql: str, said: str) -> None:
    ran = killed("query", sql)
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert said in ran.err


def test_no_database_is_one_line(dnpcsql: Run) -> None:
    ran = dnpcsql("tasks")
    assert ran.status == 1
    assert "`dnpcsql import PATH` makes one" in ran.err


def test_a_run_by_each_of_its_names(killed: Run) -> None:
    whole = killed("tasks", "71d4a751-6867-449f-b893-6b653903b644").out
    for name in ("71d4a", "last", "000", "0", "killed workflow"):
        assert killed("tasks", name).out == whole
    ran = killed("tasks", "nothing")
    assert ran.err == (
        "dnpcsql: no run nothing; there are: "
        "71d4a751-6867-449f-b893-6b653903b644 (000, killed workflow)\n"
    )


def test_names_that_would_harm_a_terminal_come_out_plain(dnpcsql: Run, tmp_path: Path) -> None:
    importer = tmp_path / "mine.py"
    importer.write_text(
        "from dnpcsql import Span\n"
        "def mine(path):\n"
        "    yield Span('0' * 28, 'mine', '0' * 20, name='\\x1b[31mred\\x07\\n')\n"
    )
    (tmp_path / "log.txt").write_text("x\n")
    dnpcsql("import", tmp_path / "log.txt", "--importer", importer)
    assert dnpcsql("query", "SELECT name FROM span").out == "name\n\\x1b[31mred\\x07\\n\n"


def test_views_are_explained(killed: Run) -> None:
    assert "parsl_try" in killed("views").out
    assert "executor_task_id" in killed("views", "parsl_try").out
    assert killed("views", "parsl_tri").status == 1


def test_types_sources_and_problems(killed: Run) -> None:
    assert "parsl.monitoring.task" in killed("types").out
    assert "contains" in killed("types", "--relations").out
    assert "parsl.log" in killed("sources").out
    assert "left out" in killed("sources", "--messages").out
    assert killed("problems").out.splitlines()[0].split() == ["kind", "count", "files", "example"]
    assert killed("problems", "--all").status == 0


def test_a_tasks_life_as_text_and_as_rows(killed: Run) -> None:
    text = killed("task", "last", "0").out
    assert text.startswith("task 0  work  exec_done  ")
    assert "monitoring.db status 27" in text
    rows = [
        json.loads(line)
        for line in killed("task", "last", "0", "--format", "jsonl").out.splitlines()
    ]
    assert rows[0]["what"] == "invoked"
    assert [row["after_s"] for row in rows] == sorted(row["after_s"] for row in rows)
    assert killed("task", "last", "99").status == 1


def test_sequences_give_every_order(killed: Run) -> None:
    text = killed("sequences", "parsl.monitoring.task", "--most", "1").out
    assert text.startswith("23 spans, ")
    rows = killed("sequences", "--format", "jsonl").out.splitlines()
    assert sum(json.loads(row)["count"] for row in rows if json.loads(row)["step"] == 0) == 23
    assert killed("sequences", "no.such.type").status == 1


def test_a_numbered_run_is_no_directory_of_any_name(dnpcsql: Run, copy: Case) -> None:
    log = copy("parsl-2026.10.26-killed") / "000" / "parsl.log"
    logs = log.parents[2] / "logs"
    logs.mkdir()
    log.rename(logs / "parsl.log")
    assert dnpcsql("import", logs).status == 0
    assert dnpcsql("tasks", "71d4").status == 0
    ran = dnpcsql("tasks", "7")
    assert (ran.status, "Traceback" in ran.err) == (1, False)
    assert dnpcsql("query", "SELECT :x", "--param", "x=--5").status == 0
    assert dnpcsql("query", "SELECT :x", "--param", "x=99999999999999999999").status == 0


def test_json_has_every_column_and_no_infinity(killed: Run) -> None:
    sql = "SELECT 1 AS a, 2 AS a, 9e999 AS most, -9e999 AS least, x'00' AS bytes"
    row = {"a": 1, "a_2": 2, "most": "Infinity", "least": "-Infinity", "bytes": "<1 bytes>"}

    def refuse(text: str) -> None:
        raise AssertionError(text)

    for name in ("json", "jsonl"):
        found = json.loads(killed("query", sql, "--format", name).out, parse_constant=refuse)
        assert found in (row, [row])


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("format_", ["table", "csv", "jsonl"])
@pytest.mark.parametrize("sql", ["SELECT * FROM event, (SELECT 1 FROM event)", "SELECT 1"])
def test_when_nobody_reads_on_it_ends_quietly(killed: Run, sql: str, format_: str) -> None:
    """As cat does: with 128 + SIGPIPE, and not a word."""
    ran = subprocess.Popen(
        [sys.executable, "-m", "dnpcsql", "query", sql, "--format", format_],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert ran.stdout is not None
    assert ran.stderr is not None
    with ran.stdout, ran.stderr:
        ran.stdout.close()
        said = ran.stderr.read()
    assert (ran.wait(), said) == (141, b"")


def test_views_are_listed_by_their_first_sentence_and_explained_whole(killed: Run) -> None:
    lines = killed("views").out.splitlines()
    assert all(line.endswith(".") for line in lines)
    (line,) = (line for line in lines if line.startswith("parsl_run "))
    assert line.endswith(
        "One row for each Parsl run (each DataFlowKernel), whatever was imported of it."
    )
    assert "has a row of its own." in killed("views", "parsl_run").out
    assert "Events.Timestamp" in killed("views", "otel_traces").out


def test_help_says_in_a_line_what_each_command_does(dnpcsql: Run) -> None:
    lines = dnpcsql("--help").out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert all(line.endswith((".", "?")) for line in lines)


def test_help_loads_no_command() -> None:
    loaded = "import sys; sys.argv = ['dnpcsql', '--help']\nfrom dnpcsql.cli import main\n"
    loaded += "try: main()\nexcept SystemExit: pass\n"
    loaded += "print({'numpy', 'dnpcsql.importing', 'sqlalchemy'} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "set()"
