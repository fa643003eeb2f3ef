"""Hops, held against what a script of its own reads in the files."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.answers.by_hand import read, sums
from tests.conftest import corpus

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "runinfo.tar.xz"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example run's directory."""
    place = tmp_path_factory.mktemp("example")
    with tarfile.open(EXAMPLE) as archive:
        archive.extractall(place, filter="data")
    return place / "runinfo"


def agree(runinfo: Path, number: str, offset: int, store: Store) -> None:
    store.import_(runinfo)
    by_hand = sums(read(runinfo / number, offset))
    found = {
        (hop.begin, hop.end): (hop.n, hop.total_ns)
        for hop, *_ in store.hops(number).walks
        if (hop.begin, hop.end) in by_hand
    }
    assert found == by_hand
    assert len(found) > 10


def test_each_hop_of_the_example_is_what_its_files_say(example: Path, store: Store) -> None:
    agree(example, "000", 0, store)


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("parsl-2026.10.26-full", 0),
        ("parsl-2026.10.26-killed", 0),
        ("parsl-2025.9.15-elastic", 0),
        ("parsl-2025.1.13-full", -18_000),
        ("parsl-2023.12.18-full", 0),
    ],
)
def test_each_hop_of_the_corpus_is_what_its_files_say(name: str, offset: int, store: Store) -> None:
    agree(corpus(name) / "runinfo", "000", offset, store)


def test_of_logs_alone_what_they_do_not_tell_is_not_made_up(
    example: Path, tmp_path: Path, store: Store
) -> None:
    shutil.copytree(example, tmp_path / "runinfo")
    for path in (tmp_path / "runinfo" / "monitoring.db", *tmp_path.rglob("manager.log")):
        path.unlink()
    store.import_(tmp_path / "runinfo")
    found = store.hops()
    told = {one.moment: (one.told, one.of) for one in found.coverage}
    assert told["running"] == told["manager_got"] == (0, 79)
    assert told["worker_received"] == (64, 79)
    hops = {(hop.begin, hop.end): hop.n for hop, *_ in found.walks}
    assert hops["interchange_sent", "worker_received"] == 64
    assert hops["worker_received", "worker_completed"] == 64


def test_the_slowest_of_a_hop_is_shown_with_its_lines(example: Path, store: Store) -> None:
    store.import_(example)
    queued = next(walk for walk in store.hops().walks if walk.hop.end == "interchange_sent")
    slow = queued.slowest[0]
    assert (slow.task, slow.begins, slow.ends) == (
        40,
        ("interchange.log:102",),
        ("interchange.log:824",),
    )
    lines = (example / "000" / "htex" / "interchange.log").read_text().split("\n")
    number = store.query("SELECT executor_task_id FROM parsl_try WHERE task_id = 40").value()
    assert f"Put task {number} onto pending_task_queue" in lines[102 - 1]
    assert f"Sent tasks: [{number}] to manager" in lines[824 - 1]
