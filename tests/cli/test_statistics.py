from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dnpcsql.cli.plotting import _KINDS
from dnpcsql.pictures import KINDS
from tests.cli.conftest import Run
from tests.conftest import Case, corpus


@pytest.fixture
def multi(dnpcsql: Run, case: Case) -> Run:
    """Five workflows are imported."""
    assert dnpcsql("import", case("parsl-2025.9.15-multi") / "runinfo").status == 0
    return dnpcsql


def test_stats_for_people(killed: Run) -> None:
    ran = killed("stats")
    assert ran.status == 0
    head, running, workers, wrapper, empty, columns, *rows = ran.out.splitlines()
    assert head.startswith('run 71d4a751 "killed workflow", 2026-11-22 07:07:30 UTC: 23 tasks in ')
    assert "never ended" in head
    assert running.startswith("running (running → running_ended): at most 3 at a time")
    assert wrapper.startswith("running → running_ended is Parsl's monitoring around the app's body")
    assert workers.startswith("workers: 2, ")
    assert empty == ""
    assert columns.split()[:4] == ["from", "to", "n", "missing"]
    assert [row.split()[:2] for row in rows[:5]] == [
        ["invoked", "returned"], ["pending", "launched"], ["launched", "running"],
        ["running", "running_ended"], ["running_ended", "returned"],
    ]  # fmt: skip


def test_stats_as_rows(killed: Run) -> None:
    ran = killed("stats", "--by", "app", "--from", "launched", "--to", "running", "--intervals",
                 "--format", "csv")  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert {"app", "n", "missing", "mean", "p50", "p95_low", "p95_high"} <= set(rows[0])
    work = next(row for row in rows if row["app"] == "work")
    assert float(work["p50_low"]) <= float(work["p50"]) <= float(work["p50_high"])
    ran = killed("stats", "--where", "app = 'none'", "--format", "json")
    assert {row["n"] for row in json.loads(ran.out)} == {0}


def test_compare_says_what_it_means_and_how_to_fail(multi: Run) -> None:
    ran = multi("compare", "000", "001", "--by", "app")
    assert ran.status == 0
    assert "invoked → returned, seconds; the shift with its 95 % interval" in ran.out
    assert ran.out.splitlines()[0].startswith("A  run 000: 8 tasks")
    same = multi("compare", "000", "000", "--fail-above", "0")
    assert (same.status, same.err) == (
        0,
        "not slower: p50 of B is 0.0 % above A's, limit 0 % above\n",
    )


def test_compare_ends_with_3_where_the_second_is_slower(killed: Run) -> None:
    slower = ("compare", "last", "last", "--from", "launched", "--to", "running", "--where-a",
              "task_id < 4", "--where-b", "task_id BETWEEN 4 AND 9")  # fmt: skip
    ran = killed(*slower, "--fail-above", "0.5")
    assert ran.status == 3
    assert ran.err.startswith("dnpcsql: slower: p50 of B is ")
    assert ran.err.endswith(" % above A's, limit 0.5 % above\n")
    assert killed(*slower, "--fail-above", "1000").status == 0
    rows = json.loads(killed(*slower, "--format", "json").out)
    assert [row["figure"] for row in rows] == ["mean", "p50", "p90", "p95", "p99"]
    assert killed("compare", "last", "last", "--where", "app = 'none'").status == 1
    assert killed("compare", "last", "last", "--fail-above", "-1").status == 2


def test_plot_says_where_the_picture_is(killed: Run, tmp_path: Path) -> None:
    for suffix in ("png", "svg", "pdf"):
        target = tmp_path / f"w.{suffix}"
        ran = killed("plot", "workers", "last", "-o", target)
        assert (ran.status, ran.out) == (0, f"{target}\n")
        assert target.stat().st_size > 1000
    ran = killed("plot", "workers", "-o", tmp_path / "w.gif")
    assert (ran.status, ran.out) == (1, "")
    assert killed("plot", "pie").status == 2
    ran = killed("plot", "latency", "--from", "nowhere", "-o", tmp_path / "l.png")
    assert ran.status == 1
    assert ran.err.startswith("dnpcsql: no event nowhere of these tasks; there are: invoked, ")


def test_the_command_knows_every_kind_of_picture(dnpcsql: Run) -> None:
    assert tuple(KINDS) == _KINDS
    told = dnpcsql("plot", "--help").out
    assert all(kind in told for kind in KINDS)


def test_phases_are_called_by_the_events_that_tell_of_them(dnpcsql: Run) -> None:
    """Run 004 has no monitoring: its workers' logs tell when tasks ran."""
    multi = dnpcsql
    assert multi("import", corpus("parsl-2025.9.15-multi") / "runinfo").status == 0
    rows = json.loads(multi("stats", "004", "--format", "json").out)
    assert [(row["from"], row["to"]) for row in rows] == [
        ("invoked", "returned"), ("pending", "launched"), ("launched", "worker_received"),
        ("worker_received", "worker_completed"), ("worker_completed", "returned"),
    ]  # fmt: skip
    told = multi("stats", "004").out
    assert "running (worker_received → worker_completed): at most 1 at a time" in told
    assert "monitoring" not in told
    untold = multi("stats", "004", "--from", "launched", "--to", "running_ended").out
    assert "never ended" not in untold
    assert "no file tells of running_ended of these; there are: invoked, pending, " in untold


def test_a_makespan_is_one_value_and_compare_says_so(multi: Run) -> None:
    ran = multi("compare", "001", "000", "--of", "makespan", "--fail-above", "10")
    assert ran.status == 3
    assert "one value a run, so nobody can say whether chance made it" in ran.err
    assert " % above A's, limit 10 % above" in ran.err
    faster = multi("compare", "000", "001", "--of", "makespan", "--fail-above", "10")
    assert faster.status == 0
    assert " % below A's" in faster.err


def test_compare_says_in_which_phase_the_difference_lies(multi: Run) -> None:
    told = multi("compare", "000", "001").out
    assert "most of it in launched → running: -7.324 s a try" in told
    assert "running → running_ended is Parsl's monitoring around" in told
    same = multi("compare", "last", "last").out
    assert same.startswith("A  run last: 6 tasks, makespan 20.2 s\nB  run last again: 6 tasks")
    assert "in no phase more than chance could make" in same
    assert "where the difference lies" not in multi("compare", "000", "001", "--by", "app").out


def test_stats_by_a_column_that_only_tries_have(dnpcsql: Run) -> None:
    example = Path(__file__).parents[2] / "examples" / "runinfo.tar.xz"
    assert dnpcsql("import", example).status == 0
    rows = json.loads(dnpcsql("stats", "--by", "worker_id", "--format", "json").out)
    assert {"0", "1"} <= {row["worker_id"] for row in rows if row["n"]}
    pair = ("--from", "invoked", "--to", "returned")
    assert dnpcsql("stats", "--by", "worker_id", *pair).status == 0
    assert dnpcsql("stats", "--by", "colour").status == 1


def test_a_number_of_no_run_is_no_beginning_of_an_id(multi: Run) -> None:
    """7c4a… and 004 are runs, 007 is none."""
    assert multi("stats", "7").status == 1
    assert multi("stats", "7c4").status == 1
    assert multi("stats", "7c4a").out.startswith("run 7c4a8ca9 ")
    assert multi("stats", "4").out.startswith("run 89381af6")


def test_there_is_no_picture_of_nothing(killed: Run, tmp_path: Path) -> None:
    target = tmp_path / "rate.png"
    ran = killed("plot", "rate", "--where", "app = 'none'", "-o", target)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"dnpcsql: nothing to draw, so no {target}: no events\n"
    assert not target.exists()
