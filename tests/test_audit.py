from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.generate import generate
from dnpcsql.audit import Unmatched, unmatched
from dnpcsql.store import Store
from tests.conftest import corpus

TASKS = 30


def make(tmp_path: Path, label: str = "htex", **options: int | str) -> Path:
    generate(tmp_path, tasks=TASKS, noise="full", workers=4, label=label, **options)  # type: ignore[arg-type]
    return tmp_path / "runinfo"


def audited(store: Store) -> dict[str, tuple[int, int, int, int]]:
    return {
        pair: (matched, left, right, inferred)
        for pair, matched, left, right, inferred in store.query(
            "SELECT pair, matched, left_only, right_only, inferred FROM join_audit"
        )
    }


def take_out(log: Path, pattern: str) -> None:
    text, count = re.subn(rf"^.*{pattern}.*\n", "", log.read_text(), flags=re.MULTILINE)
    assert count
    log.write_text(text)


def test_a_whole_run_fits_together(tmp_path: Path, store: Store) -> None:
    store.import_(make(tmp_path))
    counts = audited(store)
    assert sorted(counts) == [
        "executor task - interchange",
        "interchange - manager",
        "interchange - worker",
        "interchange manager - manager log",
        "log block - submit script",
        "manager - worker",
        "monitoring block - log block",
        "monitoring manager - interchange manager",
        "monitoring task - log task",
        "monitoring try - log try",
        "try - executor task",
    ]
    assert {row[1:] for row in counts.values()} == {(0, 0, 0)}
    assert counts["monitoring task - log task"][0] == TASKS
    assert unmatched(store) == []


def test_each_side_s_own_are_listed_with_file_and_line(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    run = tree / "000"
    take_out(run / "htex" / "interchange.log", r"(Put|Sent|Removing) task.*\b3\b")
    take_out(run / "parsl.log", "with executor id 5$")
    store.import_(tree)
    counts = audited(store)
    assert counts["executor task - interchange"][1:] == (1, 1, 0)
    assert counts["try - executor task"][1:] == (1, 1, 0)
    (run_id,) = {thing.run_id for thing in unmatched(store)}
    found = {(thing.pair, thing.side): thing for thing in unmatched(store, run_id)}
    lost = found["executor task - interchange", "left"]
    assert (lost.what, lost.executor) == ("executor task 3", "htex")
    assert lost.path == str(run / "parsl.log")
    assert lost.line is not None
    line = (run / "parsl.log").read_text().splitlines()[lost.line - 1]
    assert line.endswith("with executor id 3")
    untied = found["try - executor task", "right"]
    assert untied.what == "executor task 5"
    assert found["try - executor task", "left"].what.startswith("try ")
    assert unmatched(store, "11111111-2222-3333-4444-555555555555") == []


def test_an_account_that_is_not_there_is_not_held_against_the_other(
    tmp_path: Path, store: Store
) -> None:
    tree = make(tmp_path)
    (tree / "monitoring.db").unlink()
    store.import_(tree)
    assert audited(store)["monitoring task - log task"] == (0, 0, TASKS, 0)
    assert unmatched(store) == []
    listed = unmatched(store, absent=True)
    assert Unmatched(
        listed[0].run_id, None, "monitoring task - log task", "right", "task 7",
        str(tree / "000" / "parsl.log"), next(t.line for t in listed if t.what == "task 7"),
    ) in listed  # fmt: skip


def test_what_was_inferred_is_counted_apart(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path, fail_share=0)
    (tree / "000" / "parsl.log").unlink()
    store.import_(tree)
    matched, left, right, inferred = audited(store)["try - executor task"]
    assert (left, right) == (0, 0)
    assert matched == inferred > 0


def test_two_executors_with_equal_numbers_are_two(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path / "one", label="cpu")
    other = make(tmp_path / "two", label="gpu", seed=2)
    (other / "000").rename(tree / "001")
    store.import_(tree)
    executors = store.query(
        "SELECT executor, matched FROM join_audit WHERE pair = 'interchange - manager' ORDER BY 1"
    ).all()
    assert [executor for executor, _ in executors] == ["cpu", "gpu"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("parsl-2023.12.18-full", 0),
        ("parsl-2025.9.15-multi", 0),
        ("parsl-2026.10.26-json", 0),
        ("parsl-2026.10.26-skew", 0),
        # The interchange lived on, and had 8 tasks that no manager got.
        ("parsl-2026.10.26-killed", 16),
    ],
)
def test_real_runs_fit_together(store: Store, name: str, expected: int) -> None:
    store.import_(corpus(name) / "runinfo")
    assert len(unmatched(store)) == expected
