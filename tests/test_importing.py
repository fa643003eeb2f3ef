from __future__ import annotations

import shutil
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from dnpcsql import importers
from dnpcsql.errors import NotFoundError, QueryError, UnreadableError
from dnpcsql.importers import Importer
from dnpcsql.records import Span
from dnpcsql.store import Store
from tests.conftest import Case, dump, facts


def script(path: Path, code: str) -> str:
    path.write_text(
        "from dnpcsql import Event, Problem, Span, Tally\nfrom pathlib import Path\n" + dedent(code)
    )
    return str(path)


READS_STEPS = """
    def steps(path):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            name, time = line.split()
            yield Span("steps " + name, "step", "", name=name)
            yield Event("steps " + name, int(time), "done", number)
    """


# What is read, and what is not


def test_a_tree_is_read_and_what_is_not_is_listed(copy: Case, store: Store) -> None:
    runinfo = copy("parsl-2025.9.15-elastic")
    (runinfo / "000" / "notes.txt").write_text("hello\n")
    (runinfo / "000" / "log_config.pkl").write_bytes(b"\x80\x04.")
    told: list[tuple[str, int, int, int]] = []
    done = store.import_(runinfo, progress=lambda *state: told.append(state))
    names = sorted(Path(source.path).name.partition(".1795")[0] for source in done.added)
    blocks = [f"parsl.htex.block-{number}" for number in range(4)]
    assert names == ["monitoring.db", *blocks, "parsl.log"]
    assert [Path(name).name for name in done.not_imported] == ["log_config.pkl", "notes.txt"]
    assert (done.failed, done.problems, done.unchanged) == ([], 0, [])
    assert done.counts["parsl.log", "event"] > 100
    assert done.seconds > 0
    assert told[-1][1] == told[-1][2] == sum(source.size or 0 for source in done.added)


def test_equal_small_files_are_different_files(copy: Case, store: Store) -> None:
    runinfo = copy("parsl-2025.9.15-elastic")
    scripts = list((runinfo / "000" / "submit_scripts").iterdir())
    for script_ in scripts:
        script_.write_text("0\n")
    store.import_(runinfo)
    blocks = "SELECT count(*) FROM span WHERE type = 'parsl.rundir.submit_script'"
    assert store.query(blocks).value() == 4


@pytest.mark.parametrize("content", [None, "hello\n"])
def test_a_folder_with_no_parsl_in_it_says_what_to_do(
    content: str | None, tmp_path: Path, store: Store
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    if content:
        (folder / "a.txt").write_text(content)
    with pytest.raises(NotFoundError) as error:
        store.import_(folder)
    said = "1 file: .txt" if content else "no files"
    assert f"nothing here that dnpcsql knows ({said})" in str(error.value)
    assert "--importer my.toml" in str(error.value)
    assert "\n" not in str(error.value)
    assert not store.path.exists()


def test_nothing_is_made_for_a_path_that_is_not_there(tmp_path: Path, store: Store) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        store.import_(tmp_path / "gone")
    assert not store.path.exists()


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Mars/Olympus", "no such time zone: 'Mars/Olympus'"),
        ("nowhere.log=UTC", "no such path: nowhere.log"),
        (".=Mars", "no such time zone: 'Mars'"),
    ],
)
def test_a_zone_that_makes_no_sense_is_refused_before_anything_is_read(
    zone: str, said: str, case: Case, store: Store
) -> None:
    with pytest.raises((QueryError, NotFoundError), match=f"--timezone {zone}: {said}"):
        store.import_(case("parsl-2026.10.26-killed"), timezone=[zone])
    assert not store.path.exists()


def test_the_nearest_zone_that_was_given_holds(copy: Case, store: Store) -> None:
    runinfo = copy("parsl-2025.9.15-multi")
    shutil.rmtree(runinfo / "000")
    store.import_(
        runinfo,
        timezone=["Asia/Tokyo", f"{runinfo}=Asia/Kolkata", f"{runinfo / 'monitoring.db'}=+03:00"],
    )
    used = "SELECT DISTINCT utc_offset_how FROM source WHERE importer = 'monitoring.db'"
    assert store.query(used).all() == [("--timezone monitoring.db=+03:00",)]


def test_a_given_zone_does_not_mix_up_kernels(case: Case, store: Store) -> None:
    """Kernels of one process are told apart by when they were open, whatever zone is given."""
    folder = case("parsl-2025.9.15-multi")
    store.import_(folder / "runinfo", timezone=[f"{folder}=Europe/Berlin"])
    assert store.query("SELECT kind, text FROM problem").all() == []
    counted = "SELECT count(*) FROM source WHERE messages LIKE '%other_run%'"
    assert store.query(counted).value() == 2


# One run of many


def runs_of(store: Store) -> list[str]:
    return [row[0] for row in store.query("SELECT run_id FROM parsl_run ORDER BY started")]


@pytest.mark.parametrize(
    ("options", "wanted"), [({"last": True}, [4]), ({"run": "1"}, [1]), ({"run": "002"}, [2])]
)
def test_only_the_run_that_was_asked_for_is_imported(
    options: dict[str, Any], wanted: list[int], case: Case, store: Store
) -> None:
    """The last run here was not monitored: the database tells of four others."""
    folder = case("parsl-2025.9.15-multi")
    flows = sorted(facts(folder)["workflows"], key=lambda flow: flow["run_dir"])
    done = store.import_(folder / "runinfo", **options)
    assert runs_of(store) == [flows[number]["run_id"] for number in wanted]
    assert len([source for source in done.added if source.importer == "monitoring.db"]) == 1
    parts = {flows[number]["run_id"].replace("-", "")[-12:] for number in wanted}
    for table in ("event", "sample"):
        told = {row[0][:12] for row in store.query(f"SELECT span_uuid FROM {table}")}
        assert told <= parts


def test_runs_that_are_there_stay_when_another_is_asked_for(
    case: Case, store: Store, tmp_path: Path
) -> None:
    runinfo = case("parsl-2025.9.15-multi") / "runinfo"
    store.import_(runinfo, run="0")
    store.import_(runinfo, run="2")
    store.import_(runinfo, run="2")
    assert len(runs_of(store)) == 2
    with Store(tmp_path / "whole.sqlite3") as whole:
        whole.import_(runinfo)
        everything = dump(whole)
        again = whole.import_(runinfo, last=True)
        assert again.added == []
        assert dump(whole) == everything
    store.import_(runinfo)
    assert dump(store) == everything


def test_asking_for_a_run_that_is_not_there_lists_those_that_are(case: Case, store: Store) -> None:
    with pytest.raises(NotFoundError, match="no run directory 007 there; there are 000, 001"):
        store.import_(case("parsl-2025.9.15-multi"), run="7")


def test_the_last_run_of_a_tree_below_a_numbered_folder(
    case: Case, store: Store, tmp_path: Path
) -> None:
    place = tmp_path / "4711" / "runinfo"
    shutil.copytree(case("parsl-2025.9.15-multi") / "runinfo", place)
    store.import_(tmp_path / "4711", last=True)
    assert len(runs_of(store)) == 1


# Importers of one's own


def test_an_importer_in_a_file_reads_a_log_of_ones_own(tmp_path: Path, store: Store) -> None:
    log = tmp_path / "steps.log"
    log.write_text("one 1000\ntwo 2000\n")
    mine = script(tmp_path / "steps.py", READS_STEPS)
    done = store.import_(log, importer=mine)
    assert [(source.importer, source.problems) for source in done.added] == [("steps", 0)]
    assert store.query("SELECT name, end_unix_nano FROM span ORDER BY name").all() == [
        ("one", 1000),
        ("two", 2000),
    ]
    log.write_text("one 1000\n")
    store.import_(log, importer=mine)
    assert store.query("SELECT count(*) FROM span").value() == 1


def test_an_importer_may_ask_for_its_files_context(
    copy: Case, tmp_path: Path, store: Store
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")
    (runinfo / "000" / "mine.log").write_text("x\n")
    mine = script(
        tmp_path / "mine.py",
        """
        def _helper(path):
            yield None

        def other(path):
            yield None

        def importer(path, context):
            yield Span("mine", "mine", "", name=context.run_id)
        """,
    )
    store.import_(runinfo / "000" / "mine.log", importer=mine)
    assert store.query("SELECT name FROM span").value() == "71d4a751-6867-449f-b893-6b653903b644"


def test_an_importer_may_be_an_importer(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.log").write_text("x\n")
    mine = script(
        tmp_path / "mine.py",
        """
        from dnpcsql.importers import Importer
        def read(path, context):
            yield Span("mine", "mine", "")
        mine = Importer("my own", lambda path, head: True, read)
        """,
    )
    assert store.import_(tmp_path / "a.log", importer=mine).added[0].importer == "my own"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1", "no importer there: write one generator function `def mine(path, context)`"),
        ("def a(path): yield\ndef b(path): yield", "name it `importer` if there are several"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_file_without_an_importer_says_what_to_write(
    code: str, said: str, tmp_path: Path, store: Store
) -> None:
    (tmp_path / "a.log").write_text("x\n")
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(UnreadableError) as error:
        store.import_(tmp_path / "a.log", importer=str(tmp_path / "mine.py"))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_importer_of_no_known_name_lists_those_that_are(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.log").write_text("x\n")
    with pytest.raises(NotFoundError, match=r"built-in ones are: .*monitoring\.db, .*parsl\.log"):
        store.import_(tmp_path / "a.log", importer="guess")


def test_a_built_in_importer_can_be_asked_for_by_name(copy: Case, store: Store) -> None:
    log = copy("parsl-2026.10.26-killed") / "000" / "parsl.log"
    store.import_(log.rename(log.with_name("x.dat")), importer="parsl.log")
    assert store.query("SELECT count(*) FROM parsl_task").value() == 23


def test_nothing_is_kept_of_a_file_whose_importer_fails_and_others_go_on(
    tmp_path: Path, store: Store
) -> None:
    for name, content in (("a", "one 1\n"), ("b", "two 2\nthree\n"), ("c", "four 4\n")):
        (tmp_path / f"{name}.log").write_text(content)
    mine = script(tmp_path / "steps.py", READS_STEPS)
    done = store.import_(*(tmp_path / f"{name}.log" for name in "abc"), importer=mine)
    why = "ValueError: not enough values to unpack (expected 2, got 1) (steps.py:6)"
    assert done.failed == [f"{tmp_path}/b.log: the importer failed: {why}"]
    assert done.problems == 1
    assert [row[0] for row in store.query("SELECT name FROM span ORDER BY name")] == ["four", "one"]
    assert store.query("SELECT kind, text FROM problem").all() == [("not read", done.failed[0])]


def test_what_was_known_of_a_file_stays_if_it_can_no_longer_be_read(
    tmp_path: Path, store: Store
) -> None:
    log = tmp_path / "steps.log"
    log.write_text("one 1\n")
    mine = script(tmp_path / "steps.py", READS_STEPS)
    store.import_(log, importer=mine)
    before = dump(store)
    log.write_text("one 1\ntorn\n")
    assert len(store.import_(log, importer=mine).failed) == 1
    assert dump(store) == before


def test_an_importer_that_yields_no_records_fails_by_name(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.log").write_text("x\n")
    mine = script(tmp_path / "mine.py", "def mine(path):\n    yield 'a text'\n")
    done = store.import_(tmp_path / "a.log", importer=mine)
    assert done.failed == [f"{tmp_path}/a.log: 'a text' is no record of dnpcsql's"]
    assert store.query("SELECT kind, text FROM problem").all() == [("not read", done.failed[0])]


def test_other_packages_offer_importers_by_entry_point(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: Store
) -> None:
    offer = Importer(
        "theirs",
        lambda path, _head: path.suffix == ".theirs",
        lambda _path, _context: iter([Span("s", "theirs", "")]),
    )
    monkeypatch.setattr(EntryPoint, "load", lambda _self: offer)
    point = EntryPoint("theirs", "their.package:importer", "dnpcsql.importers")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point] * (group != ""))
    assert importers.offered() == [offer]
    (tmp_path / "a.theirs").write_text("x\n")
    assert store.import_(tmp_path / "a.theirs").added[0].importer == "theirs"


# Files that vanish, and those that were torn from their tree


def test_a_file_that_vanishes_meanwhile_fails_by_name(
    copy: Case, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runinfo = copy("parsl-2026.10.26-killed")

    def vanish(*_: object) -> None:
        (runinfo / "monitoring.db").unlink(missing_ok=True)

    done = store.import_(runinfo, progress=vanish)
    assert done.failed == [f"{runinfo}/monitoring.db: No such file or directory"]


def test_a_file_torn_from_its_tree_gives_way_to_the_same_file_in_it(
    copy: Case, store: Store, tmp_path: Path
) -> None:
    runinfo = copy("parsl-2025.9.15-elastic")
    script_ = min((runinfo / "000" / "submit_scripts").iterdir())
    torn = tmp_path / "torn" / "submit_scripts"
    torn.mkdir(parents=True)
    shutil.copy(script_, torn)
    other = torn / script_.name.replace("block-0", "block-7")
    shutil.copy(script_, other)
    store.import_(torn)
    assert store.query("SELECT kind FROM problem").all() == [("run unknown",)] * 2
    store.import_(runinfo)
    paths = [source.path for source in store.sources() if source.importer == "submit script"]
    assert len(paths) == 5
    assert str(torn / script_.name) not in paths
    assert str(other) in paths
