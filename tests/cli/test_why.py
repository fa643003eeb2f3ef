"""`dnpcsql why` and `dnpcsql hops`, as they print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dnpcsql.cli import cli
from dnpcsql.store import Store
from tests.conftest import Case, corpus


@pytest.fixture
def killed(case: Case, store: Store) -> Path:
    """A killed run's database and parsl.log."""
    store.import_(case("parsl-2026.10.26-killed") / "runinfo")
    return store.path


def run(database: Path, *words: str) -> str:
    ran = CliRunner().invoke(cli, ["--db", str(database), *words])
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_why_fits_a_screen_and_says_what_it_rests_on(killed: Path) -> None:
    printed = run(killed, "why").splitlines()
    assert printed[0].startswith('run 71d4a751 "killed workflow": 23 tasks, 23 tries in ')
    assert "it never ended, as far as is told" in printed
    assert any("12 of 23 tasks never returned" in line for line in printed)
    assert any(line.startswith("note: no worker log") for line in printed)
    assert len(printed) <= 40
    assert all(len(line) <= 100 for line in printed if not line.startswith("    > "))


def test_why_as_rows_has_all_findings_the_worst_first(killed: Path) -> None:
    rows = [json.loads(row) for row in run(killed, "why", "--format", "jsonl").splitlines()]
    assert [row["weight_s"] for row in rows] == sorted(
        (row["weight_s"] for row in rows), reverse=True
    )
    assert all(row["command"].startswith("dnpcsql ") for row in rows)
    assert len(run(killed, "why", "--most", "1").split("    > ")) == 2


def test_hops_as_rows_add_up_to_the_ledger(killed: Path) -> None:
    hops = [json.loads(row) for row in run(killed, "hops", "--format", "jsonl").splitlines()]
    lines = [json.loads(row) for row in run(killed, "ledger", "--format", "jsonl").splitlines()]
    unfinished = sum(row["lasts_ns"] for row in lines if row["phase"] == "unfinished")
    assert sum(row["lasts_ns"] for row in hops) + unfinished == sum(
        row["lasts_ns"] for row in lines
    )


def test_hops_say_what_no_file_tells(killed: Path) -> None:
    assert "no file tells of: interchange_received, interchange_sent" in run(killed, "hops")


def test_of_workers_by_other_clocks_it_is_said_that_they_differ(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-skew") / "runinfo")
    printed = run(store.path, "why")
    assert "hosts' clocks differ" in " ".join(printed.split())
    # A hop of which a third is below 0 tells of the clocks, not of the way.
    assert "from interchange_sent to manager_got" not in printed
