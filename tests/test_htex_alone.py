"""HTEX without a DataFlowKernel, as Globus Compute drives it: no run is named anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.generate import generate
from dnpcsql.layout import Layout, Zones
from dnpcsql.store import Store
from tests.conftest import corpus, dump, facts

HOPS = (
    "interchange_received_task", "interchange_to_manager", "manager_got_task",
    "worker_received_task", "worker_completed_task", "worker_all_finished_task",
    "interchange_removing_task",
)  # fmt: skip


def make(tmp_path: Path, tasks: int = 12, seed: int = 1, label: str = "endpoint") -> Path:
    """An executor's directory with nothing around it."""
    made = tmp_path / f"made {seed}"
    generate(made, tasks=tasks, noise="full", workers=4, label=label, seed=seed, fail_share=0)
    alone = tmp_path / f"alone {seed}"
    shutil.copytree(made / "runinfo" / "000" / label, alone / label)
    shutil.copytree(made / "runinfo" / "000" / "submit_scripts", alone / "submit_scripts")
    return alone


def hops(store: Store) -> dict[tuple[str, int], list[str]]:
    """The events of each executor task, by run part and number, in order of time."""
    found: dict[tuple[str, int], list[str]] = {}
    for run, number, type_ in store.query(
        "SELECT substr(span_uuid, 1, 12), CAST(substr(span_uuid, 21) AS INTEGER), type FROM event "
        "WHERE substr(span_uuid, 13, 2) IN ('38', '48', '58') ORDER BY time_unix_nano"
    ):
        found.setdefault((run, number), []).append(type_)
    return found


def test_an_executor_s_files_are_tied_by_their_directory(tmp_path: Path, store: Store) -> None:
    store.import_(make(tmp_path))
    tasks = hops(store)
    assert sorted(number for _, number in tasks) == list(range(1, 13))
    assert len({run for run, _ in tasks}) == 1
    assert {tuple(sorted(types)) for types in tasks.values()} == {tuple(sorted(HOPS))}
    assert store.query("SELECT * FROM problem").all() == []
    pairs: dict[str, int] = dict(
        store.query(
            "SELECT pair, matched FROM join_audit WHERE NOT left_only AND NOT right_only"
        ).all()
    )
    assert pairs["interchange - manager"] == pairs["manager - worker"] == 12
    # A run of its own, named by no file, without any of Parsl's tasks.
    runs = store.query("SELECT run_id, name, tasks, ended FROM parsl_run").all()
    assert [row[1:] for row in runs] == [(None, 0, None)]
    assert runs[0][0].replace("-", "")[-12:] == next(iter(tasks))[0]


def test_the_place_makes_no_difference(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    store.import_(tree)
    moved = tmp_path / "2026" / "moved"
    shutil.copytree(tree, moved)
    with Store(tmp_path / "moved.sqlite3") as other:
        other.import_(moved)
        assert dump(other, moved)["event"] == dump(store, tree)["event"]


def test_each_start_numbers_from_one_and_is_a_run_of_its_own(tmp_path: Path, store: Store) -> None:
    first, second = make(tmp_path, 12, 1), make(tmp_path, 8, 2)
    log = first / "endpoint" / "interchange.log"
    log.write_text(log.read_text() + (second / "endpoint" / "interchange.log").read_text())
    for block in (second / "endpoint").glob("block-*"):
        shutil.copytree(block, first / "endpoint" / block.name, dirs_exist_ok=True)
    store.import_(first)
    by_run: dict[str, list[int]] = {}
    for (run, number), types in hops(store).items():
        by_run.setdefault(run, []).append(number)
        assert sorted(types) == sorted(HOPS)
    assert sorted(map(sorted, by_run.values()), key=len) == [
        list(range(1, 9)), list(range(1, 13))
    ]  # fmt: skip


def test_the_same_files_in_their_tree_take_the_place_of_those_that_stood_alone(
    tmp_path: Path, store: Store
) -> None:
    alone = make(tmp_path)
    store.import_(alone)
    tree = tmp_path / "made 1" / "runinfo"
    store.import_(tree)
    with Store(tmp_path / "only.sqlite3") as only:
        only.import_(tree)
        assert dump(store) == dump(only)


def test_a_manager_whose_uid_is_all_digits_is_no_run(tmp_path: Path) -> None:
    place = tmp_path / "runinfo" / "000" / "htex" / "block-0" / "123456789012"
    place.mkdir(parents=True)
    (place / "manager.log").write_text("")
    context = Layout(Zones()).context(place / "manager.log")
    assert (context.label, context.block_id, context.manager_uid) == ("htex", "0", place.name)


def test_a_real_endpoint(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-htexalone")
    store.import_(folder / "runinfo")
    known = facts(folder)["htex_alone"]
    assert store.query("SELECT * FROM problem").all() == []
    seen = {
        number: (manager, worker, block)
        for number, manager, worker, block in store.query(
            "SELECT CAST(substr(task.uuid, 21) AS INTEGER), "
            "json_extract(worker.attributes, '$.\"parsl.manager.id\"'), "
            "json_extract(worker.attributes, '$.\"parsl.worker.id\"'), "
            "json_extract(worker.attributes, '$.\"parsl.block.id\"') "
            "FROM span AS task JOIN subspan ON subspan_uuid = task.uuid "
            "JOIN span AS worker ON worker.uuid = superspan_uuid "
            "WHERE task.type = 'parsl.executor.htex.worker.task'"
        )
    }
    assert len(seen) == known["tasks_submitted"]
    for task in known["tasks"]:
        if inside := task.get("inside"):
            expected = (inside["manager"], int(inside["worker"]), str(inside["block"]))
            assert seen[task["executor_task_id"]] == expected


@pytest.mark.parametrize("name", ["interchange.log", "worker_0.log", "manager.log"])
def test_one_file_alone_is_read_and_says_so(tmp_path: Path, store: Store, name: str) -> None:
    found = next(make(tmp_path).rglob(name))
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    shutil.copy(found, lonely)
    store.import_(lonely)
    kinds = {kind for (kind,) in store.query("SELECT kind FROM problem")}
    assert kinds == {"run unknown"}
    assert store.query("SELECT count(*) FROM event").value() > 0
