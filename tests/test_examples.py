"""The examples, run as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.conftest import Case

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def ran(place: Path, *arguments: object) -> str:
    """What a Python program prints, in a directory with a dnpc.sqlite3."""
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    environment.pop("DNPCSQL_DB", None)
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the example run's database."""
    place = tmp_path_factory.mktemp("examples")
    with Store(place / "dnpc.sqlite3") as store:
        store.import_(EXAMPLES / "runinfo.tar.xz")
    return place


def test_where_did_my_time_go(place: Path) -> None:
    rows = ran(place, "-m", "dnpcsql", "query", EXAMPLES / "where.sql", "--format", "csv")
    assert rows.splitlines()[1].startswith("work,37,")


def test_why_did_it_fail(place: Path) -> None:
    rows = ran(place, "-m", "dnpcsql", "query", EXAMPLES / "why.sql", "--format", "csv")
    head, first, *rest = rows.splitlines()
    assert head == "run,app,state,hostname,error,tries,a_task"
    assert first == "cc55368f,bash_fail,fail_retryable,vm,\"BashExitFailure('bash_fail', 3)\",2,46"
    assert any(row.startswith("cc55368f,child,dep_fail,") for row in rest)


def test_are_my_workers_busy(place: Path) -> None:
    first, second, whole = ran(place, EXAMPLES / "busy.py").splitlines()
    assert first.startswith("91365d3eae4d/0")
    assert second.startswith("91365d3eae4d/1")
    assert whole.startswith("in all ")
    assert (place / "workers.png").stat().st_size > 1000
    with Store(place / "dnpc.sqlite3") as store:
        share = store.query("SELECT utilization FROM utilization WHERE level = 'run'").value()
    assert whole.startswith(f"in all {100 * share:.1f} % of ")


def test_compare_two_runs(case: Case, tmp_path: Path) -> None:
    with Store(tmp_path / "dnpc.sqlite3") as store:
        store.import_(case("parsl-2025.9.15-multi"))
    words, *apps = ran(tmp_path, EXAMPLES / "compare.py", "000", "001").splitlines()
    assert "run 000" in words
    assert "run 001" in words
    assert all(": median " in app for app in apps)
    assert (tmp_path / "compare.png").stat().st_size > 1000


def test_compare_says_how_it_is_called(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "compare.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "usage: python examples/compare.py RUN OTHER\n")


def test_my_own_log(tmp_path: Path) -> None:
    own = ("--importer", EXAMPLES / "own_importer.py", "--timezone", "UTC")
    ran(tmp_path, "-m", "dnpcsql", "import", EXAMPLES / "dpkg.log", *own)
    pair = ("--type", "dpkg.package", "--from", "install", "--to", "installed")
    figures = ran(tmp_path, "-m", "dnpcsql", "stats", *pair, "--format", "csv")
    assert figures.splitlines()[1].startswith("install,installed,9,")
    ran(tmp_path, "-m", "dnpcsql", "plot", "lifelines", "--type", "dpkg.package", "-o", "own.png")
    assert (tmp_path / "own.png").stat().st_size > 1000
