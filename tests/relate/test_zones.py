"""Workers whose logs show no zone, on hosts that have another one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.generate import generate
from dnpcsql.clock import fixed, local_text, naive_ns
from dnpcsql.store import Store
from tests.conftest import dump

SECOND = 10**9
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})", re.MULTILINE)


def make(tmp_path: Path) -> Path:
    """A run of 2025, whose HTEX logs show no zone, submitted in New York."""
    generate(
        tmp_path, tasks=20, noise="full", workers=4, era="2025", utc_offset=-5 * 3600, fail_share=0
    )
    return tmp_path / "runinfo"


def move(logs: list[Path], hours: float) -> None:
    """Write logs as on a host whose zone lies so many hours east of the submitting one's."""
    for log in logs:
        log.write_text(
            _TIME.sub(
                lambda found: local_text(naive_ns(found[1]), round(hours * 3600) * SECOND),
                log.read_text(),
            )
        )


def manager_directories(tree: Path) -> list[Path]:
    return sorted({log.parent for log in tree.rglob("manager.log")})


def received(store: Store) -> list[tuple[int, float]]:
    return store.query("SELECT task_id, worker_received - launched FROM parsl_try ORDER BY 1").all()


def suspected(store: Store) -> list[tuple[str, str]]:
    return store.query(
        "SELECT path, text FROM problem JOIN source ON source.id = source_id "
        "WHERE kind = 'zone suspected' ORDER BY path"
    ).all()


@pytest.mark.parametrize("hours", [5, 10.5, -3.5, 10.75])
def test_a_manager_s_registration_tells_its_host_s_zone(
    tmp_path: Path, store: Store, hours: float
) -> None:
    tree = make(tmp_path)
    with Store(tmp_path / "at home.sqlite3") as at_home:
        at_home.import_(tree)
        expected = received(at_home)
    assert all(0 <= delay < 60 for _, delay in expected)
    _, abroad = manager_directories(tree)
    move(list(abroad.iterdir()), hours)
    store.import_(tree)
    assert received(store) == expected
    assert suspected(store) == []


def forget_registrations(tree: Path) -> None:
    """As before 2025: the interchange is not told when managers were started."""
    for log in tree.rglob("*.log"):
        log.write_text(log.read_text().replace("'start_time': ", "'began': "))


@pytest.mark.parametrize(("hours", "zone"), [(5, "+00:00"), (10.5, "+05:30"), (-3, "-08:00")])
def test_a_zone_that_nothing_tells_is_suspected_and_mended_as_is_said(
    tmp_path: Path, store: Store, hours: float, zone: str
) -> None:
    tree = make(tmp_path)
    forget_registrations(tree)
    store.import_(tree)
    expected = received(store)
    _, abroad = manager_directories(tree)
    move(list(abroad.iterdir()), hours)
    store.import_(tree)
    found = suspected(store)
    assert {Path(path).parent for path, _ in found} == {abroad}
    assert {Path(path).name for path, _ in found} >= {"manager.log", "worker_0.log"}
    (advice,) = {text.rpartition(" --timezone ")[2] for _, text in found}
    assert advice == f"{abroad}/={zone}"
    problems = store.query("SELECT sum(problems) FROM source").value()
    assert problems == len(found)
    store.import_(tree, timezone=[advice])
    assert received(store) == expected
    assert suspected(store) == []


def test_the_suspicion_does_not_hang_on_the_order_of_imports(tmp_path: Path, store: Store) -> None:
    tree = make(tmp_path)
    forget_registrations(tree)
    move(list(manager_directories(tree)[0].iterdir()), 6)
    store.import_(tree)
    files = sorted((path for path in tree.rglob("*") if path.is_file()), reverse=True)
    with Store(tmp_path / "backwards.sqlite3") as backwards:
        for file in files:
            if file.name.endswith((".log", ".db", ".ec")):
                backwards.import_(file)
        assert dump(backwards) == dump(store)
    assert suspected(store)


def test_running_in_the_database_goes_by_the_worker_s_clock(tmp_path: Path, store: Store) -> None:
    from dnpcsql.layout import Layout, Zones

    tree = make(tmp_path)
    _, abroad = manager_directories(tree)
    move(list(abroad.iterdir()), 5)
    layout = Layout(Zones())
    context = layout.context(abroad / "worker_0.log")
    assert context.clock == fixed(0, "from its manager's registration")
    run = layout.context(tree / "000" / "parsl.log")
    assert run.run_id is not None
    clocks = layout.context(tree / "monitoring.db").clocks_of_run(
        run.run_id, "/x/runinfo/000", {abroad.name: "node-b"}
    )
    assert clocks.of_host("node-b").describe() == "+00:00"
    assert clocks.of_host("node-a").describe() == "-05:00"


def test_a_tree_without_a_kernel_s_log_takes_the_interchange_s_clock(
    tmp_path: Path, store: Store
) -> None:
    tree = make(tmp_path)
    with Store(tmp_path / "whole.sqlite3") as whole:
        whole.import_(tree)
        query = "SELECT task_id, worker_received, returned FROM parsl_try ORDER BY 1"
        expected = whole.query(query).all()
    (tree / "000" / "parsl.log").unlink()
    store.import_(tree)
    assert [row[:2] for row in store.query(query)] == [row[:2] for row in expected]
    assert store.query("SELECT count(*) FROM problem").value() == 0
