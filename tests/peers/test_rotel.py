"""What is exported passes through a third party's collector as it is, in every protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import rotel
from tests.peers.collector import Collector, collecting
from tests.peers.exporting import PROTOCOLS, RUNS, TRACES, Exported
from tests.peers.spans import read_file, spans_of


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture
def peer(tmp_path: Path, collector: Collector) -> Iterator[rotel.Rotel]:
    running = rotel.start(tmp_path, collector.url)
    yield running
    running.process.kill()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", RUNS)
def test_a_run_arrives_as_it_was_sent(
    peer: rotel.Rotel, collector: Collector, exported: Exported, name: str, protocol: str
) -> None:
    exported(name).to(peer.grpc if protocol == "grpc" else peer.http, protocol)
    assert peer.process.stop() == 0  # it passes on what it still has
    expected = spans_of(exported(name).sent())
    assert expected
    assert spans_of(collector.messages) == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", TRACES)
def test_traces_of_other_programs_arrive_as_they_were_in_their_file(
    peer: rotel.Rotel, collector: Collector, exported: Exported, name: str, protocol: str
) -> None:
    exports = exported(name)
    exports.to(peer.grpc if protocol == "grpc" else peer.http, protocol)
    assert peer.process.stop() == 0
    assert spans_of(collector.messages) == spans_of(read_file(exports.source))
