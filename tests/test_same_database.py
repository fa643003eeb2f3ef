"""The same files make the same database: twice, in any order, in pieces, elsewhere, anywhere."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.conftest import Case, corpus, dump

CASES = ["parsl-2023.12.18-full", "parsl-2025.9.15-multi", "parsl-2026.10.26-killed"]
CORPUS_CASES = [
    "parsl-2025.9.15-multi",
    "parsl-2026.10.26-full",
    "parsl-2026.10.26-htexalone",
    "parsl-2026.10.26-json",
    "parsl-2026.10.26-killed",
    "parsl-2026.10.26-skew",
]


def undisturbed(runinfo: Path, at: Path) -> Path:
    with Store(at / "undisturbed.sqlite3") as store:
        store.import_(runinfo)
        return store.path


def files_of(runinfo: Path) -> list[Path]:
    return sorted(file for file in runinfo.rglob("*") if file.is_file())


def import_each(store: Store, files: list[Path]) -> None:
    """One file at a time, each in its place; those that are not Parsl's are refused."""
    for file in files:
        try:
            store.import_(file)
        except Exception as error:
            assert "nothing here that dnpcsql knows" in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_in_pieces_and_in_any_order(name: str, seed: int, case: Case, tmp_path: Path) -> None:
    runinfo = case(name) / "runinfo"
    files = files_of(runinfo)
    random.Random(seed).shuffle(files)
    with Store(tmp_path / "pieces.sqlite3") as store:
        import_each(store, files)
        assert dump(store) == dump(undisturbed(runinfo, tmp_path))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_every_order_of_three_files(order: tuple[int, ...], case: Case, tmp_path: Path) -> None:
    runinfo = case("parsl-2026.10.26-killed") / "runinfo"
    files = files_of(runinfo)
    assert len(files) == 3
    with Store(tmp_path / "pieces.sqlite3") as store:
        import_each(store, [files[place] for place in order])
        assert dump(store) == dump(undisturbed(runinfo, tmp_path))


@pytest.mark.parametrize("name", CORPUS_CASES)
def test_whole_trees_in_pieces_from_last_to_first(name: str, tmp_path: Path) -> None:
    """With the logs of executors and workers, which are tied to tries by several files."""
    runinfo = corpus(name) / "runinfo"
    with Store(tmp_path / "pieces.sqlite3") as store:
        import_each(store, files_of(runinfo)[::-1])
        assert dump(store) == dump(undisturbed(runinfo, tmp_path))


@pytest.mark.parametrize("name", CASES)
def test_twice(name: str, case: Case, tmp_path: Path) -> None:
    runinfo = case(name) / "runinfo"
    before = dump(undisturbed(runinfo, tmp_path))
    assert dump(undisturbed(runinfo, tmp_path)) == before


@pytest.mark.parametrize("name", CASES)
def test_each_source_taken_out_and_put_back(name: str, case: Case, tmp_path: Path) -> None:
    runinfo = case(name) / "runinfo"
    path = undisturbed(runinfo, tmp_path)
    before = dump(path)
    with Store(path) as store:
        for source in store.sources():
            store.forget(source.path)
            store.import_(runinfo)
            assert dump(store) == before


@pytest.mark.parametrize("name", ["parsl-2025.9.15-elastic", "parsl-2026.10.26-htexalone"])
def test_whole_trees_taken_out_and_put_back(name: str, tmp_path: Path) -> None:
    runinfo = corpus(name) / "runinfo"
    path = undisturbed(runinfo, tmp_path)
    before = dump(path)
    with Store(path) as store:
        for source in store.sources():
            store.forget(source.path)
            store.import_(runinfo)
            assert dump(store) == before


@pytest.mark.parametrize("name", CASES)
def test_moved_elsewhere(name: str, case: Case, tmp_path: Path) -> None:
    runinfo = case(name) / "runinfo"
    moved = tmp_path / "another place" / "of #1 ünd %20" / "runinfo"
    shutil.copytree(runinfo, moved)
    with Store(tmp_path / "moved.sqlite3") as store:
        store.import_(moved)
        assert dump(store, moved) == dump(undisturbed(runinfo, tmp_path), runinfo)


_IMPORT = """
import sys
from dnpcsql.store import Store
with Store(sys.argv[1]) as store:
    store.import_(sys.argv[2])
"""


@pytest.mark.parametrize(
    "surroundings",
    [
        {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1", "LC_ALL": "C"},
        {"TZ": "America/St_Johns", "PYTHONHASHSEED": "2", "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        {"TZ": "Europe/Berlin", "PYTHONHASHSEED": "3", "LC_ALL": "tr_TR.UTF-8"},
    ],
)
@pytest.mark.parametrize("name", ["parsl-2025.9.15-multi", "parsl-2026.10.26-dst"])
def test_in_other_surroundings(
    name: str, surroundings: dict[str, str], case: Case, tmp_path: Path
) -> None:
    runinfo = case(name) / "runinfo"
    subprocess.run(
        [sys.executable, "-c", _IMPORT, str(tmp_path / "other.sqlite3"), str(runinfo)],
        env={**os.environ, **surroundings},
        check=True,
    )
    assert dump(tmp_path / "other.sqlite3") == dump(undisturbed(runinfo, tmp_path))


@pytest.mark.parametrize("name", CASES)
def test_whatever_was_imported_before(name: str, case: Case, tmp_path: Path) -> None:
    """Several trees in one database, in either order."""
    trees = [case(name), case("parsl-2025.9.15-elastic")]
    for order, path in ((trees, "one.sqlite3"), (trees[::-1], "other.sqlite3")):
        with Store(tmp_path / path) as store:
            for tree in order:
                store.import_(tree)
    assert dump(tmp_path / "one.sqlite3") == dump(tmp_path / "other.sqlite3")
