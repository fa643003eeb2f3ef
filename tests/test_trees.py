from __future__ import annotations

import gzip
import os
import stat
from pathlib import Path

import pytest

from dnpcsql.errors import NotFoundError
from dnpcsql.store import Store
from dnpcsql.trees import Found, of_run, walk
from tests.conftest import Case


def shown(paths: list[Path], scratch: Path) -> list[str]:
    return [found.shown for found in walk(paths, scratch).files]


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    return root


def test_files_are_found_in_one_order_however_they_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path / "run", "b/2", "a", "b/1", "c/d/e")
    expected = [str(root / name) for name in ("a", "b/1", "b/2", "c/d/e")]
    assert shown([root], tmp_path / "s") == expected
    assert shown([root / "c", root / "b", root / "a"], tmp_path / "s") == expected
    assert shown([root / "a", root, root / "b" / ".." / "a"], tmp_path / "s") == expected


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no such file or directory: .*gone"):
        walk([tmp_path / "gone"], tmp_path / "s")


def test_links_that_lead_in_circles_are_followed_no_further(tmp_path: Path) -> None:
    root = tree(tmp_path / "run", "000/parsl.log", "001/parsl.log")
    (root / "000" / "again").symlink_to(root)
    (root / "last").symlink_to("001")
    (root / "0-first").symlink_to("000")
    (root / "up").symlink_to("..")
    (root / "self").symlink_to("self")
    found = walk([root], tmp_path / "s")
    assert [file.shown for file in found.files] == [
        f"{root}/000/parsl.log",
        f"{root}/001/parsl.log",
    ]
    assert found.unreadable == [f"{root}/self: a link that leads nowhere"]


def test_a_link_to_a_file_of_the_same_tree_is_that_file(tmp_path: Path) -> None:
    root = tree(tmp_path / "run", "000/parsl.log")
    (root / "current.log").symlink_to("000/parsl.log")
    assert shown([root], tmp_path / "s") == [f"{root}/000/parsl.log"]


def test_links_to_other_places_are_followed_once(tmp_path: Path) -> None:
    elsewhere = tree(tmp_path / "scratch", "parsl.log", "more/interchange.log")
    root = tree(tmp_path / "run", "a.log")
    (root / "000").symlink_to(elsewhere)
    (root / "twice").symlink_to(elsewhere)
    (root / "one.log").symlink_to(elsewhere / "parsl.log")
    assert shown([root], tmp_path / "s") == [
        f"{root}/000/more/interchange.log",
        f"{root}/000/parsl.log",
        f"{root}/a.log",
        f"{root}/one.log",
    ]


def test_what_is_neither_file_nor_folder_is_not_read(tmp_path: Path) -> None:
    root = tree(tmp_path / "run", "a.log")
    os.mkfifo(root / "pipe")
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)
    assert shown([root], tmp_path / "s") == [f"{root}/a.log"]


def test_a_name_that_is_no_utf8_is_shown_as_well_as_can_be(tmp_path: Path, case: Case) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    log = (case("parsl-2026.10.26-killed") / "runinfo" / "000" / "parsl.log").read_bytes()
    Path(os.fsdecode(folder), "parsl.log").write_bytes(log)
    with Store(tmp_path / "dnpc.sqlite3") as store:
        assert len(store.import_(os.fsdecode(folder)).added) == 1
        assert len(store.import_(os.fsdecode(folder)).unchanged) == 1
        assert store.query("SELECT path FROM source").value().endswith("/caf\\xe9/parsl.log")


def test_a_log_is_never_written_to_though_its_compressed_copy_lies_beside_it(
    copy: Case, store: Store
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    before = log.read_bytes()
    log.with_name("parsl.log.gz").write_bytes(gzip.compress(before[:20_000]))
    done = store.import_(runinfo)
    assert log.read_bytes() == before
    assert str(log) in [source.path for source in done.added]
    assert [text for text in done.failed if "parsl.log.gz" in text] == done.failed != []


def test_a_folder_that_may_not_be_read_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(tmp_path / "run", "000/parsl.log", "001/parsl.log")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("001"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = walk([root], tmp_path / "s")
    assert [file.shown for file in found.files] == [f"{root}/000/parsl.log"]
    assert found.unreadable == [f"{root}/001: Permission denied"]


# --last and --run


def files(root: Path) -> list[Found]:
    return walk([root], root / "nothing").files


def chosen(root: Path, number: str | None) -> list[str]:
    return [str(found.path.relative_to(root)) for found in of_run(files(root), number)]


def test_the_last_run_is_the_one_of_the_highest_number(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "runinfo",
        "000/parsl.log",
        "999/parsl.log",
        "1000/parsl.log",
        "notes.txt",
    )
    assert chosen(root, None) == ["1000/parsl.log", "notes.txt"]
    assert chosen(root, "0") == ["000/parsl.log", "notes.txt"]
    assert chosen(root, "999") == ["999/parsl.log", "notes.txt"]


def test_numbered_folders_within_a_run_are_no_runs(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "runinfo",
        "000/parsl.log",
        "000/task_logs/0000/task_0045_hello.stdout",
        "000/wq/function_data/0150/map",
        "001/parsl.log",
        "001/wq/function_data/0003/map",
    )
    assert chosen(root, None) == ["001/parsl.log", "001/wq/function_data/0003/map"]


def test_a_numbered_folder_around_the_tree_is_no_run(tmp_path: Path) -> None:
    root = tree(tmp_path / "20231105" / "runinfo", "000/parsl.log", "001/parsl.log", "notes")
    assert chosen(root, None) == ["001/parsl.log", "notes"]


def test_a_run_without_a_parsl_log_is_known_by_what_else_it_holds(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "runinfo",
        "000/parsl.log",
        "001/htex/interchange.log",
        "002/submit_scripts/parsl.htex.block-0.1795331213.6386034.sh.ec",
    )
    assert chosen(root, None) == ["002/submit_scripts/parsl.htex.block-0.1795331213.6386034.sh.ec"]
    assert chosen(root, "1") == ["001/htex/interchange.log"]


def test_there_may_be_no_such_run(tmp_path: Path) -> None:
    root = tree(tmp_path / "runinfo", "000/parsl.log", "001/parsl.log")
    with pytest.raises(NotFoundError, match="no run directory 007 there; there are 000, 001"):
        of_run(files(root), "7")
    with pytest.raises(NotFoundError, match="no run directory last there"):
        of_run(files(root), "last")
    empty = tree(tmp_path / "other", "a.txt")
    with pytest.raises(NotFoundError, match="no run directory"):
        of_run(files(empty), None)
