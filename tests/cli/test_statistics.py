from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dnpcsql.cli.plotting import _KINDS
from dnpcsql.pictures import KINDS
from tests.cli.conftest import Run
from tests.conftest import Case


@pytest.fixture
def multi(dnpcsql: Run, case: Case) -> Run:
    """Five workflows are imported."""
    assert dnpcsql("import", case("parsl-2025.9.15-multi") / "runinfo").status == 0
    return dnpcsql


def test_stats_for_people(killed: Run) -> None:
    ran = killed("stats")
    assert ran.status == 0
    head, running, workers, empty, columns, *rows = ran.out.splitlines()
    assert head.startswith('run 71d4a751 "killed workflow", 2026-11-22 07:07:30 UTC: 23 tasks in ')
    assert "never ended" in head
    assert running.startswith("running: at most 3 at a time")
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
    assert (same.status, same.err) == (0, "not slower: p50 of B is +0.0 % of A's, limit +0 %\n")


def test_compare_ends_with_3_where_the_second_is_slower(killed: Run) -> None:
    slower = ("compare", "last", "last", "--from", "launched", "--to", "running", "--where-a",
              "task_id < 4", "--where-b", "task_id BETWEEN 4 AND 9")  # fmt: skip
    ran = killed(*slower, "--fail-above", "0.5")
    assert ran.status == 3
    assert ran.err.startswith("dnpcsql: slower: p50 of B is +")
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
