from __future__ import annotations

import csv
import io
import itertools
import json

import pytest
from click.testing import CliRunner

from dnpcsql.analyses.critical import KINDS
from dnpcsql.answers.critical import caveats, findings
from dnpcsql.cli import cli
from dnpcsql.errors import NotFoundError
from dnpcsql.store import Store
from tests.answers.test_idle import EVERY
from tests.conftest import corpus

WITH_TASKS = [name for name in EVERY if name != "parsl-2026.10.26-htexalone"]


@pytest.mark.parametrize("name", [*WITH_TASKS, "parsl-2026.10.26-workqueue"])
def test_the_path_is_the_whole_run_without_a_gap(store: Store, name: str) -> None:
    folder = corpus(name)
    packed = folder / "runinfo.tar.xz"
    store.import_(packed if packed.exists() else folder / "runinfo")
    for run in store.runs():
        found = store.critical(run.id)
        assert sum(one.ends - one.begins for one in found.path) == found.makespan_ns > 0
        assert found.path[0].begins == found.begins
        assert all(one.ends == other.begins for one, other in itertools.pairwise(found.path))
        assert sum(found.kinds_ns().values()) == found.makespan_ns
        assert list(found.kinds_ns()) == list(KINDS)
        assert found.chain_ns <= found.work_ns
        assert all(room >= 0 for room in found.slack_ns)
        on_path = {one.task for one in found.path}
        assert min(found.slack_ns[task] for task in on_path) == 0
        # What was observed can be replayed: the model is right to 3 %.
        assert abs(found.error()) < 0.03
        for one in found.replays[1:]:
            assert one.gain_ns == found.replays[0].makespan_ns - one.makespan_ns


def test_the_heaviest_chain_is_the_one_that_the_apps_own_clocks_tell(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-longtail")
    store.import_(folder / "runinfo.tar.xz")
    (truth,) = json.loads((folder / "truth.json").read_text())["workflows"]
    found = store.critical()
    assert found.tasks[found.chain].tolist() == truth["critical_path"]
    # Parsl's monitoring wraps each body, by some 0.05 s here, and no log tells when a body ended.
    wrapped = found.chain_ns / 1e9 - truth["critical_path_s"]
    assert 0 < wrapped / len(found.chain) < 0.15
    # All 30 wait for each other; the rest of the 38.7 s is waiting for 4 workers, of which one is
    # slow: with more of them the chain is what remains.
    gains = {one.name: one for one in found.replays}
    assert gains["infinite workers"].makespan_ns / 1e9 == pytest.approx(15.4, abs=1)
    said = [one.sentence for one in findings(found)]
    assert any(
        sentence.startswith("with infinite workers the run would take 15.") for sentence in said
    )
    assert any("4 of htex" in note for note in caveats(found))


def test_an_app_of_ones_own_choice(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-full") / "runinfo")
    command = ["--db", str(store.path), "critical", "--faster", "work"]
    shown = CliRunner().invoke(cli, command).output
    assert "work twice as fast" in shown
    assert "nap twice as fast" not in shown
    with pytest.raises(NotFoundError, match="no app wrok"):
        store.critical(faster=["wrok"])


def test_rows_for_programs(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-full") / "runinfo")
    command = ["--db", str(store.path), "critical", "--format", "csv"]
    found = store.critical()
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(cli, command).output)))
    assert sum(int(row["lasts_ns"]) for row in rows) == found.makespan_ns
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(cli, [*command, "--slack"]).output)))
    assert len(rows) == found.tasks.size


def test_no_tasks(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-htexalone") / "runinfo")
    with pytest.raises(NotFoundError, match="no file tells of tasks"):
        store.critical()
