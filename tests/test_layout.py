from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dnpcsql.layout import Layout, Zones
from tests.conftest import Case, corpus

RUN = "71d4a751-6867-449f-b893-6b653903b644"


@pytest.fixture
def runinfo(copy: Case) -> Path:
    return copy("parsl-2026.10.26-killed")


def layout(**zones: str) -> Layout:
    return Layout(Zones(zones.get("everywhere")))


def file(path: Path, content: str = "x\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_log_belongs_to_the_run_label_block_and_manager_around_it(runinfo: Path) -> None:
    place = runinfo / "000" / "htex_Local" / "block-7" / "aafb1402bc0f" / "worker_3.log"
    context = layout().context(file(place))
    assert (context.run_id, context.label, context.block_id, context.manager_uid) == (
        RUN,
        "htex_Local",
        "7",
        "aafb1402bc0f",
    )
    assert context.clock.how == "from parsl.log"
    assert context.labels == ("htex_Local",)


@pytest.mark.parametrize("inside", ["submit_scripts/a.sh", "task_logs/0000/task_0045_hello.stdout"])
def test_not_every_folder_of_a_run_is_an_executors(inside: str, runinfo: Path) -> None:
    context = layout().context(file(runinfo / "000" / inside))
    assert (context.run_id, context.label) == (RUN, None)


def test_a_run_without_a_log_is_named_by_the_database_beside_it(runinfo: Path) -> None:
    (runinfo / "000" / "parsl.log").unlink()
    context = layout().context(file(runinfo / "000" / "htex" / "interchange.log"))
    assert context.run_id == RUN
    with closing(sqlite3.connect(runinfo / "monitoring.db")) as connection:
        connection.execute(
            "INSERT INTO workflow "
            "SELECT 'x', '', '', time_began, NULL, '', '', rundir, 0, 0 FROM workflow"
        )
        connection.commit()
    context = layout().context(runinfo / "000" / "htex" / "interchange.log")
    assert context.run_id is None  # two runs say that this was theirs


def test_a_numbered_folder_around_the_tree_is_no_run(tmp_path: Path, runinfo: Path) -> None:
    place = tmp_path / "2024" / "0815" / "runinfo"
    shutil.copytree(runinfo, place)
    assert layout().context(place / "000" / "parsl.log").run_id == RUN
    context = layout().context(place / "monitoring.db")
    assert (context.run_id, context.label) == (None, None)
    assert context.clocks_of_run(RUN, "/x/runinfo/000", {}).submit.how == "from parsl.log"


@pytest.mark.parametrize(
    ("rundir", "how"),
    [
        ("/far/away/runinfo/000", "from parsl.log"),
        ("000", "from parsl.log"),
        ("/far/away/runinfo/001", "nothing known: UTC taken"),
        (None, "nothing known: UTC taken"),
        ("", "nothing known: UTC taken"),
        ("/", "nothing known: UTC taken"),
    ],
)
def test_a_database_goes_by_the_clock_of_the_directory_that_its_run_names(
    rundir: str | None, how: str, runinfo: Path
) -> None:
    context = layout().context(runinfo / "monitoring.db")
    assert context.clocks_of_run(RUN, rundir, {}).submit.how == how


def test_another_runs_directory_of_that_name_is_not_taken(runinfo: Path) -> None:
    context = layout().context(runinfo / "monitoring.db")
    other = "cc55368f-7e64-466f-9ce9-19dd3371b141"
    assert context.clocks_of_run(other, "/x/000", {}).submit.how == "nothing known: UTC taken"


def test_a_workers_host_has_the_clock_that_its_managers_log_shows(runinfo: Path) -> None:
    place = runinfo / "000" / "htex_Local" / "block-0" / "aafb1402bc0f" / "manager.log"
    file(place, "1795331212.928108 2026-11-22 12:36:52 MainProcess-1 T-1 x:1 f INFO: x\n")
    clocks = (
        layout()
        .context(runinfo / "monitoring.db")
        .clocks_of_run(RUN, "/x/000", {"aafb1402bc0f": "node-b", "another": "node-c"})
    )
    assert clocks.of_host("node-b").describe() == "+05:30"
    assert clocks.of_host("node-c") == clocks.of_host(None) == clocks.submit
    assert clocks.differ()


def test_what_is_given_for_a_path_goes_before_what_is_seen(runinfo: Path) -> None:
    zones = Zones("Asia/Tokyo", {runinfo / "000": "+01:00"})
    found = Layout(zones)
    assert found.context(runinfo / "000" / "parsl.log").clock.how == "--timezone 000=+01:00"
    assert found.context(file(runinfo / "notes.log")).clock.how == "--timezone Asia/Tokyo"
    assert layout(everywhere="Asia/Tokyo").context(
        runinfo / "000" / "parsl.log"
    ).clock.how == "from parsl.log"  # fmt: skip


def test_equal_surroundings_have_equal_keys_wherever_they_are(
    runinfo: Path, tmp_path: Path
) -> None:
    shutil.copytree(runinfo, tmp_path / "moved")
    for name in ("000/parsl.log", "monitoring.db"):
        key = layout().context(runinfo / name).key
        assert key == layout().context(runinfo / name).key
        assert key == layout().context(tmp_path / "moved" / name).key


@pytest.mark.parametrize("name", ["000/parsl.log", "monitoring.db"])
def test_other_surroundings_have_another_key(name: str, runinfo: Path) -> None:
    path = runinfo / name
    keys = {layout().context(path).key}
    keys.add(Layout(Zones(None, {path: "+01:00"})).context(path).key)
    keys.add(Layout(Zones(None, {path: "local"})).context(path).key)
    (runinfo / "000" / "htex_2").mkdir()
    file(runinfo / "000" / "htex_2" / "interchange.log")
    if name.endswith(".log"):
        keys.add(layout().context(path).key)
    else:
        (runinfo / "000" / "parsl.log").unlink()
        keys.add(layout().context(path).key)
    assert len(keys) == 4


def test_the_runs_that_are_wanted_of_a_database_are_in_its_key(case: Case) -> None:
    path = case("parsl-2025.9.15-multi") / "runinfo" / "monitoring.db"
    every = layout().context(path)
    found = {
        number: Layout(Zones(), frozenset({path.parent / number})).context(path)
        for number in ("000", "001")
    }
    assert every.only_runs is None
    assert [len(context.only_runs or ()) for context in found.values()] == [1, 1]
    assert len({every.key, *(context.key for context in found.values())}) == 3
    both = Layout(Zones(), frozenset(path.parent / f"00{n}" for n in range(5))).context(path)
    assert (both.only_runs, both.key) == (None, every.key)


def test_runs_that_were_read_before_are_still_wanted(case: Case) -> None:
    path = case("parsl-2025.9.15-multi") / "runinfo" / "monitoring.db"
    wanted = Layout(Zones(), frozenset({path.parent / "000"}))
    one = wanted.context(path).only_runs
    assert one is not None
    first = next(iter(one)).replace("-", "")[-12:]
    other = Layout(Zones(), frozenset({path.parent / "001"}))
    both = other.context(path, frozenset({first})).only_runs
    assert both is not None
    assert len(both) == 2
    assert one < both


def test_overlapping_kernels_know_of_each_other(case: Case) -> None:
    runinfo = case("parsl-2025.9.15-multi") / "runinfo"
    found = layout()
    contexts = [found.context(runinfo / f"00{n}" / "parsl.log") for n in range(5)]
    assert [len(context.overlapping) for context in contexts] == [0, 0, 0, 1, 1]
    assert contexts[3].other_logs == (contexts[4].run_id,)
    assert contexts[4].overlapping == ((contexts[3].run_id, ("htex_Local",)),)


def test_an_executor_without_a_kernel_is_named_by_its_interchange(tmp_path: Path) -> None:
    folder = corpus("parsl-2026.10.26-htexalone") / "runinfo"
    (log,) = folder.glob("*/interchange.log")
    managers = sorted(folder.glob("*/block-*/*/manager.log"))
    contexts = [layout().context(path) for path in (log, *managers)]
    assert {context.run_id for context in contexts} == {None}
    assert {context.label for context in contexts} == {"GlobusComputeEngine-HTEX"}
    assert len({context.scopes for context in contexts}) == 1
    assert contexts[0].scopes != ()
