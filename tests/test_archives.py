from __future__ import annotations

import bz2
import gzip
import io
import random
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from dnpcsql import archives
from dnpcsql.archives import inner_name, is_archive, unpack
from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.store import Store
from tests.conftest import Case, dump, small_disk

_WRITE: dict[str, Literal["w", "w:gz", "w:bz2", "w:xz"]] = {
    ".tar": "w",
    ".tar.gz": "w:gz",
    ".tgz": "w:gz",
    ".tar.bz2": "w:bz2",
    ".tar.xz": "w:xz",
}


def pack(source: Path, target: Path) -> Path:
    """A folder or file as an archive of the kind that `target` names."""
    if target.name.endswith(".zip"):
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(source.rglob("*")):
                archive.write(file, file.relative_to(source.parent))
    else:
        mode = next(mode for suffix, mode in _WRITE.items() if target.name.endswith(suffix))
        with tarfile.open(target, mode) as packed:
            packed.add(source, source.name)
    return target


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("run.tar.gz", True),
        ("run.TGZ", True),
        ("run.zip", True),
        ("parsl.log.gz", True),
        ("parsl.log", False),
        ("gz", False),
    ],
)
def test_an_archive_is_known_by_its_name(name: str, expected: bool) -> None:
    assert is_archive(Path(name)) is expected


def test_a_compressed_file_is_called_as_what_it_holds() -> None:
    assert inner_name(Path("a/parsl.log.gz")) == "parsl.log"
    assert inner_name(Path("a/PARSL.LOG.GZ")) == "PARSL.LOG"


@pytest.mark.parametrize("kind", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip"])
def test_an_archive_of_a_run_is_as_good_as_the_run(
    kind: str, case: Case, tmp_path: Path, store: Store
) -> None:
    runinfo = case("parsl-2026.10.26-killed") / "runinfo"
    packed = pack(runinfo, tmp_path / f"run{kind}")
    store.import_(packed)
    with Store(tmp_path / "plain.sqlite3") as plain:
        plain.import_(runinfo)
        for sql in ("SELECT * FROM parsl_task", "SELECT uuid, time_unix_nano FROM event"):
            assert store.query(sql).all() == plain.query(sql).all()
    assert store.query("SELECT path FROM source ORDER BY path").all()[0] == (
        f"{packed}!/runinfo/000/parsl.log",
    )


@pytest.mark.parametrize("kind", [".tar.gz", ".zip"])
def test_an_archive_that_was_read_is_not_read_again(
    kind: str, case: Case, tmp_path: Path, store: Store
) -> None:
    packed = pack(case("parsl-2026.10.26-killed") / "runinfo", tmp_path / f"run{kind}")
    store.import_(packed)
    before = dump(store)
    again = store.import_(packed)
    assert (again.added, len(again.unchanged)) == ([], 3)
    assert dump(store) == before


def test_a_compressed_log_in_a_tree_takes_the_place_of_the_log(
    copy: Case, case: Case, store: Store, tmp_path: Path
) -> None:
    runinfo = copy("parsl-2025.9.15-multi")
    for log in runinfo.glob("*/parsl.log"):
        log.with_name("parsl.log.gz").write_bytes(gzip.compress(log.read_bytes()))
        log.unlink()
    store.import_(runinfo)
    with Store(tmp_path / "plain.sqlite3") as plain:
        plain.import_(case("parsl-2025.9.15-multi") / "runinfo")
        for view in ("parsl_run", "parsl_task", "parsl_try", "parsl_dependency"):
            assert store.query(view).all() == plain.query(view).all()
    assert store.query("SELECT path FROM source WHERE importer = 'parsl.log' LIMIT 1").value() == (
        f"{runinfo}/000/parsl.log.gz!/parsl.log"
    )


def test_a_zone_given_for_a_path_holds_where_the_tree_has_compressed_files(
    copy: Case, tmp_path: Path, store: Store
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    (runinfo / "notes.txt.gz").write_bytes(gzip.compress(b"nothing of interest\n"))
    log.unlink()
    store.import_(runinfo, timezone=[f"{runinfo}=Asia/Tokyo"])
    assert store.query("SELECT kind FROM problem").all() == []
    packed = pack(runinfo, tmp_path / "run.tar.gz")
    with Store(tmp_path / "packed.sqlite3") as other:
        other.import_(packed, timezone=[f"{packed}=Asia/Tokyo"])
        started = "SELECT started FROM parsl_run"
        assert other.query(started).all() == store.query(started).all()
    with Store(tmp_path / "above.sqlite3") as third:
        third.import_(packed, timezone=[f"{tmp_path}=Asia/Tokyo"])
        assert third.query(started).all() == store.query(started).all()


def test_what_unpacks_to_more_than_the_limit_is_left_alone(tmp_path: Path) -> None:
    bomb = tmp_path / "parsl.log.gz"
    with gzip.open(bomb, "wb") as file:
        for _ in range(16):
            file.write(b"\0" * (1 << 20))
    with pytest.raises(UnreadableError, match=r"parsl.log.gz.*unpacks to more than 1048576 bytes"):
        unpack(bomb, tmp_path / "out", size_limit=1 << 20)
    assert sum(file.stat().st_size for file in (tmp_path / "out").iterdir()) <= 1 << 20


@pytest.mark.parametrize("kind", [".tar.gz", ".zip"])
def test_the_limit_is_for_all_files_of_an_archive_together(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.log").write_bytes(b"\0" * 400_000)
    packed = pack(folder, tmp_path / f"run{kind}")
    unpack(packed, tmp_path / "all", size_limit=1_600_000)
    with pytest.raises(UnreadableError, match=r"run.*unpacks to more than 1000000 bytes"):
        unpack(packed, tmp_path / "some", size_limit=1_000_000)


def test_a_bomb_in_a_tree_is_told_of_and_the_rest_is_imported(
    copy: Case, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "SIZE_LIMIT", 1 << 20)
    runinfo = copy("parsl-2026.10.26-killed")
    (runinfo / "bomb.log.gz").write_bytes(gzip.compress(b"\0" * (2 << 20)))
    done = store.import_(runinfo)
    assert [text for text in done.failed if "unpacks to more" in text] == done.failed
    assert "bomb.log.gz" in done.failed[0]
    assert len(done.added) == 3


def test_an_archive_of_too_many_files_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FILES_LIMIT", 3)
    folder = tmp_path / "run"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.log").touch()
    with pytest.raises(UnreadableError, match=r"run\.zip: more than 3 files"):
        unpack(pack(folder, tmp_path / "run.zip"), tmp_path / "out")


def _tar_with(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"x\n"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def _zip_with(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x\n")
    return path


@pytest.mark.parametrize(("make", "kind"), [(_tar_with, ".tar"), (_zip_with, ".zip")])
def test_nothing_is_written_outside_the_scratch_folder(
    make: Callable[..., Path], kind: str, tmp_path: Path
) -> None:
    packed = make(
        tmp_path / f"run{kind}", "good", "../evil", "/tmp/evil", "a/../../evil", "a/./good", "."
    )
    place, missing, _ = unpack(packed, tmp_path / "deep" / "out")
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert written == {packed.name, "deep/out/good", "deep/out/a/good"}
    assert place == tmp_path / "deep" / "out"
    assert missing == [
        f"{packed}!/{name}: leads outside of the archive"
        for name in ("../evil", "/tmp/evil", "a/../../evil")
    ]


def test_what_was_not_unpacked_for_safetys_sake_is_told_of(tmp_path: Path, store: Store) -> None:
    packed = _tar_with(tmp_path / "run.tar", "../evil")
    with pytest.raises(NotFoundError, match=r"\.\./evil: leads outside of the archive"):
        store.import_(packed)


def test_a_locked_zip_is_told_of(tmp_path: Path) -> None:
    packed = _zip_with(tmp_path / "run.zip", "secret.log")
    content = bytearray(packed.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + place] |= 1
    packed.write_bytes(bytes(content))
    missing = unpack(packed, tmp_path / "out").missing
    assert missing == [f"{packed}!/secret.log: locked by a password"]


def test_times_that_no_file_can_have_do_not_matter(tmp_path: Path) -> None:
    member = tarfile.TarInfo("parsl.log")
    member.mtime = 2**70
    with tarfile.open(tmp_path / "run.tar", "w") as archive:
        archive.addfile(member, io.BytesIO(b""))
    assert (unpack(tmp_path / "run.tar", tmp_path / "out").place / "parsl.log").is_file()


@pytest.mark.parametrize("kind", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".gz", ".bz2"])
def test_a_damaged_archive_is_an_error_of_its_own_wherever_the_damage_is(
    kind: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    random.seed(7)
    (folder / "parsl.log").write_text("".join(f"line {random.random()}\n" for _ in range(3000)))
    packed = tmp_path / f"run{kind}"
    if kind == ".gz":
        packed.write_bytes(gzip.compress((folder / "parsl.log").read_bytes(), mtime=0))
    elif kind == ".bz2":
        packed = tmp_path / "run.tar.bz2"
        packed.write_bytes(bz2.compress(b"no tar at all" * 1000))
    else:
        pack(folder, packed)
    whole = packed.read_bytes()
    for number in range(60):
        content = bytearray(whole)
        if number % 2:
            del content[random.randrange(len(content)) :]
        else:
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        packed.write_bytes(bytes(content))
        try:
            told = unpack(packed, tmp_path / f"out{number}").missing
        except UnreadableError as error:
            told = [str(error)]
        assert [text for text in told if not text.startswith(str(packed))] == []


def test_a_cut_off_log_is_read_as_far_as_it_goes(copy: Case, store: Store) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    whole = gzip.compress(log.read_bytes())
    packed = log.with_name("parsl.log.gz")
    packed.write_bytes(whole[: len(whole) // 2])
    log.unlink()
    done = store.import_(runinfo)
    assert [text.endswith("read as far as it goes") for text in done.failed] == [True]
    assert (
        0 < store.query("SELECT count(*) FROM span WHERE type = 'parsl.rundir.task'").value() < 23
    )


# bzip2 packs 900 kB at a time, which either are there or are not.
@pytest.mark.parametrize("kind", [".tar", ".tar.gz", ".tar.xz"])
def test_of_the_last_file_of_a_cut_off_archive_is_read_what_is_there(
    kind: str, copy: Case, store: Store, tmp_path: Path
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    whole = log.read_bytes()
    packed = tmp_path / f"run{kind}"
    with tarfile.open(packed, _WRITE[kind]) as archive:
        archive.add(log, "000/parsl.log")
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    told = unpack(packed, tmp_path / "out")
    there = (tmp_path / "out" / "000" / "parsl.log").read_bytes()
    assert told.cut == tmp_path / "out" / "000" / "parsl.log"
    assert [text.endswith("read as far as it goes") for text in told.missing] == [True]
    assert whole.startswith(there)
    assert len(whole) // 4 < len(there) < len(whole)
    done = store.import_(packed)
    assert done.failed == told.missing
    assert store.query("SELECT kind, text FROM problem WHERE kind = 'cut off'").all() == [
        ("cut off", "its archive ends or is damaged here: the rest is lost")
    ]
    assert store.query("SELECT count(*) FROM parsl_task").value() > 0
    before = dump(store)
    assert store.import_(packed).added == []
    assert dump(store) == before


@pytest.mark.parametrize("kind", [".tar", ".tar.gz", ".zip", ".gz"])
def test_no_room_to_unpack_is_not_told_as_damage(
    kind: str, copy: Case, store: Store, tmp_path: Path
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    log = runinfo / "000" / "parsl.log"
    large = log.read_bytes() * (1 + 4_000_000 // log.stat().st_size)
    if kind == ".gz":
        packed = runinfo / "000" / "other.log.gz"
        packed.write_bytes(gzip.compress(large))
    else:
        log.with_name("large.log").write_bytes(large)
        packed = pack(runinfo / "000", runinfo / f"run{kind}")
        log.with_name("large.log").unlink()
    with small_disk(2_000_000):
        done = store.import_(runinfo)
    said = (
        f"{packed}: not read for want of room in {tempfile.gettempdir()} (File too large): "
        "make some there, or set TMPDIR to another place"
    )
    assert done.failed == [said]
    assert len(done.added) == 3


def test_no_room_to_unpack_one_file_is_told_and_others_are_read(
    store: Store, tmp_path: Path
) -> None:
    line = (
        '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%032x",'
        '"spanId":"00000000000000ab","name":"it","startTimeUnixNano":"1"}]}]}]}\n'
    )
    content = "".join(line % number for number in range(1, 4_000)).encode()
    packed, plain = tmp_path / "traces.jsonl.zst", tmp_path / "traces.jsonl"
    packed.write_bytes(pytest.importorskip("zstandard").compress(content))
    plain.write_text(line % 7_000)
    with small_disk(400_000):
        done = store.import_(tmp_path)
    assert [text.startswith(f"{packed}: not read for want of room in") for text in done.failed] == [
        True
    ]
    assert store.query("SELECT count(*) FROM span").value() == 1


def test_a_cut_off_archive_beside_good_files_loses_only_itself(copy: Case, store: Store) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    packed = pack(runinfo / "000", runinfo / "old.tar.xz")
    packed.write_bytes(packed.read_bytes()[:50])
    done = store.import_(runinfo)
    assert len(done.added) == 3
    assert [text.split(": ")[0] for text in done.failed] == [str(packed)]
