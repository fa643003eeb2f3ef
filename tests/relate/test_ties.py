"""Which executor task a try was, where no log says so."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from benchmarks.generate import generate
from dnpcsql.store import Store
from tests.conftest import dump

Ties: TypeAlias = set[tuple[int, int, int]]

TASKS = 40


def make(tmp_path: Path, era: str = "2026") -> Path:
    """A made-up run of two blocks and managers, with retries, all of it."""
    generate(tmp_path / era, tasks=TASKS, noise="full", workers=4, era=era, fail_share=0.1)
    return tmp_path / era / "runinfo"


def ties(store: Store) -> Ties:
    return set(
        store.query(
            "SELECT task_id, try_id, executor_task_id FROM parsl_try "
            "WHERE executor_task_id IS NOT NULL"
        )
    )


def notes(store: Store) -> set[str | None]:
    return {
        note
        for (note,) in store.query(
            "SELECT note FROM subspan WHERE substr(subspan_uuid, 13, 2) = '28'"
        )
    }


def true_ties(tmp_path: Path, tree: Path) -> Ties:
    with Store(tmp_path / "true.sqlite3") as told:
        told.import_(tree)
        return ties(told)


def without_measures(tree: Path) -> None:
    connection = sqlite3.connect(tree / "monitoring.db")
    connection.execute("DELETE FROM resource")
    connection.commit()
    connection.close()


def as_in_1_2_0(tree: Path) -> None:
    """The words of 1.2.0 for a launch: no try, no executor's number."""
    log = tree / "000" / "parsl.log"
    text = re.sub(
        r"Parsl task (\d+) try \d+ launched on executor (\S+)( with executor id \d+)?",
        r"Task \1 launched on executor \2",
        log.read_text(),
    )
    log.write_text(text)


def without_the_log(tree: Path) -> None:
    (tree / "000" / "parsl.log").unlink()


def only_by_order(tree: Path) -> None:
    without_the_log(tree)
    without_measures(tree)


BY_PROCESS = "inferred: by the worker's process and the time"
BY_ORDER = "inferred: by order of launch"


@pytest.mark.parametrize("era", ["2025", "2026"])
@pytest.mark.parametrize(
    ("change", "how"),
    [(without_the_log, BY_PROCESS), (only_by_order, BY_ORDER), (as_in_1_2_0, BY_ORDER)],
)
def test_each_try_finds_its_executor_task(
    tmp_path: Path, store: Store, era: str, change: Callable[[Path], None], how: str
) -> None:
    tree = make(tmp_path, era)
    expected = true_ties(tmp_path, tree)
    assert len(expected) >= TASKS - 3
    change(tree)
    store.import_(tree)
    assert ties(store) == expected
    assert notes(store) == {how}


@pytest.mark.parametrize(
    ("change", "tie"), [(without_the_log, f"tie {BY_PROCESS}"), (only_by_order, f"tie {BY_ORDER}")]
)
def test_a_task_s_life_says_which_hops_are_there_by_an_inferred_tie(
    tmp_path: Path, store: Store, change: Callable[[Path], None], tie: str
) -> None:
    tree = make(tmp_path)
    change(tree)
    store.import_(tree)
    hops = ("manager got task", "worker received task", "worker completed task")
    moments = {moment.what: moment.note for moment in store.life("last", 0).moments}
    assert {what: moments[what] for what in ("invoked", "launched", *hops, "returned")} == {
        "invoked": None,
        "launched": None,
        **dict.fromkeys(hops, tie),
        "returned": None,
    }


def test_no_hop_is_said_to_be_inferred_where_a_log_tells(tmp_path: Path, store: Store) -> None:
    store.import_(make(tmp_path))
    moments = store.life("last", 0).moments
    assert "worker received task" in {moment.what for moment in moments}
    assert [moment for moment in moments if "inferred" in (moment.note or "")] == []


def test_what_was_inferred_gives_way_to_what_a_log_says(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    log = tree / "000" / "parsl.log"
    text = log.read_bytes()
    log.unlink()
    store.import_(tree)
    assert notes(store) == {BY_PROCESS}
    log.write_bytes(text)
    store.import_(tree)
    assert notes(store) == {None}
    with Store(tmp_path / "at once.sqlite3") as at_once:
        at_once.import_(tree)
        assert dump(store) == dump(at_once)


@pytest.mark.parametrize("change", [without_the_log, as_in_1_2_0])
def test_the_order_of_imports_does_not_matter(
    tmp_path: Path, store: Store, change: Callable[[Path], None]
) -> None:
    tree = make(tmp_path)
    change(tree)
    store.import_(tree)
    files = sorted((path for path in tree.rglob("*") if path.is_file()), reverse=True)
    with Store(tmp_path / "backwards.sqlite3") as backwards:
        for file in files:
            if file.name.endswith((".log", ".db", ".ec")):
                backwards.import_(file)
        assert dump(backwards) == dump(store)


def test_ties_go_when_what_they_rest_on_is_forgotten(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    without_the_log(tree)
    store.import_(tree)
    before = ties(store)
    gone = store.forget(str(next(tree.rglob("worker_0.log"))))
    assert len(gone) == 1
    assert ties(store) < before
    store.import_(tree)
    assert ties(store) == before


def test_order_is_no_guide_where_a_launch_is_missing(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    as_in_1_2_0(tree)
    log = tree / "000" / "parsl.log"
    log.write_text(re.sub(r".*Task 7 launched on.*\n", "", log.read_text()))
    store.import_(tree)
    assert ties(store) == set()


def test_order_is_no_guide_where_kernels_are_mixed(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    as_in_1_2_0(tree)
    log = tree / "000" / "parsl.log"
    head = next(line for line in log.read_text().splitlines() if "Run id is" in line)
    other = re.sub(r"Run id is: \S+", "Run id is: 11111111-2222-3333-4444-555555555555", head)
    log.write_text(f"{log.read_text()}{other}\n")
    store.import_(tree)
    assert ties(store) == set()


def test_order_is_no_guide_where_times_speak_against_it(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    as_in_1_2_0(tree)
    for log in tree.rglob("worker_*.log"):
        log.write_text(re.sub(r"^179", "178", log.read_text(), flags=re.MULTILINE))
    store.import_(tree)
    assert ties(store) == set()
