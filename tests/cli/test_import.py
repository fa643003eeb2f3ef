"""`dnpcsql import` and `dnpcsql forget`: what they say."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.conftest import Run
from tests.conftest import Case

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_import_says_what_was_read_and_what_was_not(dnpcsql: Run, case: Case) -> None:
    ran = dnpcsql("import", case("parsl-2026.10.26-killed") / "runinfo")
    assert ran.status == 0
    first, *rest = ran.out.splitlines()
    assert first == (
        'run 71d4a751  000  "killed workflow"  2026-11-22 07:07:30 UTC  23 tasks  never ended'
    )
    assert "monitoring.db" in ran.out
    assert not any(line.startswith("  not imported: ") for line in rest)
    assert "records in" in ran.err


def test_what_is_not_imported_is_listed_by_kind(dnpcsql: Run) -> None:
    ran = dnpcsql("import", EXAMPLES / "runinfo.tar.xz")
    assert "  not imported: 5 files (submit_scripts/*.sh, " in ran.out
    assert "submit_scripts/*.sh.err" in ran.out


def test_import_again_says_that_nothing_changed(killed: Run, case: Case) -> None:
    ran = killed("import", case("parsl-2026.10.26-killed") / "runinfo")
    assert "unchanged since an earlier import" in ran.out
    assert "source" not in ran.out


def test_a_database_alone_says_what_is_missing(dnpcsql: Run, copy: Case) -> None:
    ran = dnpcsql("import", copy("parsl-2026.10.26-killed") / "monitoring.db")
    assert "missing of run 71d4a751: parsl.log" in ran.out


def test_a_log_alone_says_what_is_missing(dnpcsql: Run, copy: Case, tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "parsl.log"
    alone.parent.mkdir()
    shutil.copy(copy("parsl-2026.10.26-killed") / "000" / "parsl.log", alone)
    ran = dnpcsql("import", alone)
    assert ran.status == 0
    assert "missing of run 71d4a751: monitoring.db" in ran.out
    assert "missing of run 71d4a751: the executor's worker logs" in ran.out


def test_a_run_on_work_queue_lacks_no_logs_of_another_executor(dnpcsql: Run, copy: Case) -> None:
    tree = copy("parsl-2026.10.26-workqueue")
    whole = dnpcsql("import", tree)
    assert "missing" not in whole.out
    task = dnpcsql("task", "last", "21").out
    assert "worker worker-8c1b8878f8166519e1c1b745e1dac6f4, on vm)" in task
    assert "transaction_log:36" in task
    dnpcsql("forget", "transaction_log")
    (tree / "000" / "WorkQueueExecutor" / "transaction_log").unlink()
    less = dnpcsql("import", tree)
    assert "missing of run f3773e4f: the executor's transaction_log" in less.out
    assert "interchange.log" not in less.out


def test_nothing_to_import_is_one_line_that_says_what_to_do(dnpcsql: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("hello\n")
    (tmp_path / "notes" / "b.md").write_text("hello\n")
    ran = dnpcsql("import", tmp_path / "notes")
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert "nothing here that dnpcsql knows (2 files: .txt, .md)" in ran.err


def test_a_path_that_is_not_there(dnpcsql: Run) -> None:
    ran = dnpcsql("import", "/no/such/place")
    assert (ran.status, ran.err) == (
        1,
        "dnpcsql: no such file or directory: /no/such/place\n",
    )


def test_a_zone_that_is_not_there(dnpcsql: Run, case: Case) -> None:
    ran = dnpcsql("import", case("parsl-2026.10.26-killed"), "--timezone", "Mars/Olympus")
    assert ran.status == 1
    assert "no such time zone: 'Mars/Olympus'" in ran.err


def test_strict_exits_1_if_anything_was_not_understood(dnpcsql: Run, copy: Case) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    with (runinfo / "000" / "parsl.log").open("a") as log:
        log.write("1795331285.0")
    assert dnpcsql("import", runinfo).status == 0
    shutil.rmtree(runinfo.parent / "again", ignore_errors=True)
    ran = dnpcsql("--db", runinfo.parent / "strict.sqlite3", "import", runinfo, "--strict")
    assert ran.status == 1
    assert "--strict: 1 problems, 0 unknown messages" in ran.err


def test_an_importer_that_fails_is_told_with_its_line(dnpcsql: Run, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("x\n")
    importer = tmp_path / "mine.py"
    importer.write_text("def mine(path):\n    yield from ()\n    raise KeyError('oops')\n")
    ran = dnpcsql("import", tmp_path / "log.txt", "--importer", importer)
    assert "the importer failed: KeyError: 'oops' (mine.py:3)" in ran.out


def test_the_example_importer_reads_its_log(dnpcsql: Run) -> None:
    ran = dnpcsql(
        "import", EXAMPLES / "dpkg.log", "--importer", EXAMPLES / "own_importer.py",
        "--timezone", "UTC",
    )  # fmt: skip
    assert ran.status == 0
    rows = dnpcsql(
        "query", "SELECT count(*) FROM span WHERE type = 'dpkg.package'", "--format", "csv"
    )
    assert rows.out == "count(*)\n9\n"


def test_forget_takes_a_run_out_and_an_import_brings_it_back(killed: Run, case: Case) -> None:
    before = killed("query", "SELECT count(*) FROM event", "--format", "csv").out
    ran = killed("forget", "last")
    assert ran.status == 0
    assert "forgot " in ran.out
    for table in ("span", "event", "subspan", "facet", "link", "sample"):
        assert killed("query", f"SELECT count(*) FROM {table}", "--format", "csv").out.endswith(
            "\n0\n"
        )
    killed("import", case("parsl-2026.10.26-killed") / "runinfo")
    assert killed("query", "SELECT count(*) FROM event", "--format", "csv").out == before


def test_forget_takes_one_source_out(killed: Run) -> None:
    assert killed("forget", "parsl.log").status == 0
    assert killed("runs", "--format", "csv").out.count("\n") == 2
    ran = killed("forget", "no-such-thing")
    assert ran.status == 1
    assert "no run no-such-thing; there are: 71d4a751" in ran.err
