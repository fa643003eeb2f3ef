"""What is exported passes through a third party's collector as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import rotel
from tests.peers.collector import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture
def peer(tmp_path: Path, collector: Collector) -> Iterator[rotel.Rotel]:
    running = rotel.start(tmp_path, collector.url)
    yield running
    running.process.kill()
