"""What an import says of funcX: whose tasks, and which accounts are missing."""

from __future__ import annotations

import itertools
import tarfile
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests import funcx_samples as samples
from tests.cli.conftest import Run
from tests.conftest import DATA, corpus

# A source, a hop that only it tells of, what is said if it is missing; where it lies in the corpus.
SOURCES = {
    "client.log": ("submit", "the client's log", "synthetic.log"),
    "endpoint.log": ("interchange_received", "endpoint.log (the way", "endpoint.log"),
    "HighThroughputExecutor": ("worker_received", "the workers' logs", "worker_logs"),
    "cloud.json": ("cloud_received", "the service's logs", None),
}
SUBSETS = [
    subset
    for size in range(1, len(SOURCES) + 1)
    for subset in itertools.combinations(SOURCES, size)
]


@pytest.mark.parametrize("kept", SUBSETS, ids=["+".join(kept) for kept in SUBSETS])
def test_any_subset_answers_what_it_can_and_says_what_is_missing(
    tmp_path: Path, dnpcsql: Run, kept: tuple[str, ...]
) -> None:
    place = samples.write(tmp_path / "logs")
    done = dnpcsql("import", *(place / name for name in kept))
    check(tmp_path, done.status, done.out + done.err, kept, samples.SEVEN)


@pytest.mark.parametrize("kept", [s for s in SUBSETS if "cloud.json" not in s], ids="+".join)
def test_so_does_any_subset_of_a_real_run(
    tmp_path: Path, dnpcsql: Run, kept: tuple[str, ...]
) -> None:
    folder = corpus("funcx-2022")
    done = dnpcsql("import", *(folder / str(SOURCES[name][2]) for name in kept))
    first = "fb0d5bf0-124a-45c5-a1e2-b1b1bbe24d24"
    check(tmp_path, done.status, done.out + done.err, kept, first)


def check(tmp_path: Path, status: int, said: str, kept: tuple[str, ...], task_id: str) -> None:
    """Whether the hops of what was kept are there, and the others said to be missing."""
    assert status == 0, said
    missing = [line for line in said.split("\n") if line.startswith("  missing ")]
    with Store(tmp_path / "dnpc.sqlite3") as store:
        (row,) = store.query("SELECT * FROM funcx_task WHERE task_id = :id", id=task_id).dicts()
    for source, (hop, text, _) in SOURCES.items():
        assert (row[hop] is not None) == (source in kept)
        whole = [line for line in missing if text in line and ", for " not in line]
        assert len(whole) == (source not in kept), said


def test_what_is_partly_missing_is_counted(tmp_path: Path, dnpcsql: Run) -> None:
    said = dnpcsql("import", samples.write(tmp_path / "logs"))
    text = said.out + said.err
    assert "  funcX: 3 tasks of client 99340f18  2022-08-03 09:26:34 UTC  9.900 s" in text
    assert "  funcX: 1 task of clients whose log is not here" in text
    assert "  missing of client 99340f18, for 1 of 3 tasks: the workers' logs (which" in text


def test_today_s_endpoint_says_nothing_of_tasks_by_default(tmp_path: Path, dnpcsql: Run) -> None:
    with tarfile.open(DATA / "globus-compute-4.19.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "info" / "audit.log").unlink()
    said = dnpcsql("import", tmp_path / "info")
    assert said.status == 0
    text = "  funcX: no task is told of (today's endpoint.log does at DEBUG level only)"
    assert text in said.out + said.err
