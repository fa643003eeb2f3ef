"""The ledger of real runs: exact, of all that there are, and of whatever files are left of them."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from dnpcsql.answers.ledger import BY, Ledger, caveats
from dnpcsql.cli import cli
from dnpcsql.errors import NotFoundError
from dnpcsql.store import Store
from tests.answers import by_hand
from tests.conftest import CORPUS, Case, corpus

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "runinfo.tar.xz"
RUNS = sorted(path.name for path in CORPUS.glob("parsl-*")) if CORPUS.is_dir() else []
WHOLE = [name for name in RUNS if name.endswith(("-full", "-json"))]


@pytest.fixture
def example(tmp_path: Path, store: Store) -> Path:
    """The example run, imported; its directory."""
    with tarfile.open(EXAMPLE) as archive:
        archive.extractall(tmp_path, filter="data")
    store.import_(tmp_path / "runinfo")
    return tmp_path / "runinfo"


def imported(name: str, store: Store) -> None:
    folder = corpus(name)
    packed = folder / "runinfo.tar.xz"
    store.import_(packed if packed.exists() else folder / "runinfo")


def walls(store: Store, run_id: str) -> int | None:
    """Nanoseconds of all finished tasks, by the view; NULL ends are not in it."""
    value = store.query(
        "SELECT sum(CAST(round((returned - invoked) * 1e6) AS INTEGER)) * 1000 FROM parsl_task "
        "WHERE run_id = :run AND returned IS NOT NULL",
        run=run_id,
    ).value()
    return None if value is None else int(value)


def adds_up(found: Ledger) -> None:
    assert sum(line.lasts_ns for line in found.lines) == found.wall_ns
    assert all(line.lasts_ns >= 0 and line.clipped_ns >= 0 for line in found.lines)
    assert sum(found.groups().values()) == found.wall_ns
    assert sum(lasts for lasts, _, _ in found.totals().values()) == found.wall_ns
    for line in found.lines:
        assert line.union_ns <= line.lasts_ns
    for (group, name), union in found.phase_union_ns.items():
        assert union <= found.totals(group)[name][0]


@pytest.mark.parametrize("name", RUNS)
def test_it_adds_up_for_every_run_there_is(name: str, store: Store) -> None:
    imported(name, store)
    for run in store.runs():
        if not run.tasks:
            continue
        whole = store.ledger(run.id)
        adds_up(whole)
        for by in BY:
            split = store.ledger(run.id, by=by)
            adds_up(split)
            assert split.wall_ns == whole.wall_ns
        if not whole.unfinished:
            # To a microsecond a task, which is what a view's REAL holds.
            assert walls(store, run.id) == pytest.approx(whole.wall_ns, abs=2000 * whole.tasks)


@pytest.mark.parametrize("name", WHOLE)
def test_of_whole_runs_next_to_nothing_is_unattributed(name: str, store: Store) -> None:
    imported(name, store)
    found = store.ledger()
    assert found.totals()["unattributed"][0] <= 0.05 * found.wall_ns


def test_logs_alone_leave_only_what_ran_in_threads_unattributed(store: Store) -> None:
    imported("parsl-2024.6.10-nomonitoring", store)
    found = store.ledger(by="executor")
    assert found.totals()["unattributed"][0] <= 0.05 * found.wall_ns
    assert found.totals("htex_Local")["unattributed"][0] == 0
    assert found.totals("threads")["unattributed"][0] > 0
    assert any("no monitoring" in said for said in caveats(found))


@pytest.mark.parametrize("name", ["example", "parsl-2026.10.26-killed"])
def test_each_phase_is_what_the_files_say(
    name: str, example: Path, tmp_path: Path, store: Store
) -> None:
    runinfo = example if name == "example" else corpus(name) / "runinfo"
    with Store(tmp_path / "one.sqlite3") as one:
        one.import_(runinfo)
        found = one.ledger().totals()
    pieces = by_hand.pieces(runinfo / "000", 0)
    for phase, (lasts, _, _) in found.items():
        assert lasts == by_hand.total([piece for piece in pieces if piece.phase == phase])


def test_a_killed_run_lasts_until_the_last_record_of_its_log(case: Case, store: Store) -> None:
    folder = case("parsl-2026.10.26-killed")
    store.import_(folder / "runinfo")
    found = store.ledger()
    assert found.unfinished == 12
    # 1795331284.092968, Normal ending for _general_strategy; tasks' last record is 2.2 s earlier.
    assert store.query("SELECT last_heard FROM parsl_run").value() == pytest.approx(
        1795331284.092968, abs=1e-6
    )
    assert found.totals()["unfinished"][0] / 1e9 > 10 * 2.2


def test_without_executor_logs_work_is_still_told_from_waiting(
    example: Path, tmp_path: Path
) -> None:
    shutil.rmtree(example / "000" / "htex")
    with Store(tmp_path / "less.sqlite3") as less:
        less.import_(example)
        found = less.ledger()
    adds_up(found)
    assert found.totals()["unattributed"][0] == 0
    assert found.totals()["work"][0] / 1e9 == pytest.approx(26.359, abs=0.001)
    assert any("no worker log" in said for said in caveats(found))


def test_what_no_file_tells_apart_is_unattributed(example: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "less.sqlite3") as less:
        less.import_(example / "000" / "parsl.log")
        found = less.ledger()
    adds_up(found)
    # Launched and returned are all that parsl.log has: when anything ran, nobody knows.
    assert "work" not in found.totals()
    assert found.totals()["unattributed"][0] > 0.5 * found.wall_ns


def test_one_task_and_a_task_that_there_is_not(example: Path, store: Store) -> None:
    found = store.ledger(task=26)
    adds_up(found)
    assert (found.tasks, found.tries) == (1, 1)
    assert found.wall_ns / 1e9 == pytest.approx(20.768659, abs=1e-6)
    with pytest.raises(NotFoundError, match="has no task 999"):
        store.ledger(task=999)


@pytest.mark.parametrize("words", [(), ("--hops",), ("--by", "app"), ("--task", "26", "--hops")])
def test_the_command_prints_rows_that_add_up(
    words: tuple[str, ...], example: Path, store: Store
) -> None:
    ran = CliRunner().invoke(cli, ["--db", str(store.path), "ledger", *words])
    assert ran.exit_code == 0, ran.output
    rows = CliRunner().invoke(cli, ["--db", str(store.path), "ledger", *words, "--format", "jsonl"])
    spent = sum(json.loads(row)["lasts_ns"] for row in rows.output.splitlines())
    assert spent == (20_768_659_000 if "--task" in words else 838_011_337_000)
