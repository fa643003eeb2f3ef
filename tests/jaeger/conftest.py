"""A Jaeger for the tests marked `jaeger`; they skip where there is none to be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.jaeger.server import IN_MEMORY, VARIABLE, Jaeger, binary

_WHY_NOT = f"no Jaeger here: {VARIABLE} names none, and there is no jaeger on the PATH"


@pytest.fixture
def start_jaeger() -> Iterator[Callable[[dict[str, Any] | None], Jaeger]]:
    """Start Jaegers, each with nothing in it, that end with the test."""
    program = binary()
    if program is None:
        pytest.skip(_WHY_NOT)
    with ExitStack() as until_the_end:

        def start(over: dict[str, Any] | None = None) -> Jaeger:
            directory = until_the_end.enter_context(TemporaryDirectory())  # of large, sparse files
            jaeger = Jaeger(program, Path(directory), over)
            until_the_end.callback(jaeger.kill)
            return jaeger

        yield start


@pytest.fixture
def jaeger(start_jaeger: Callable[..., Jaeger]) -> Jaeger:
    """As docker-compose.yml starts it, with its storage on disk."""
    return start_jaeger()


@pytest.fixture
def roomy(start_jaeger: Callable[..., Jaeger]) -> Jaeger:
    """The same with its storage in memory, which has room for all that OTLP says of a span."""
    return start_jaeger(IN_MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.jaeger)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly whether a real Jaeger was there."""
    outcomes = Counter(
        outcome
        for outcome in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(outcome, ())
        if "jaeger" in report.keywords
    )
    ran = outcomes["passed"] + outcomes["failed"]
    if ran:
        terminalreporter.section(f"{ran} TESTS MARKED jaeger RAN, against {binary()}")
    else:
        terminalreporter.section(f"TESTS MARKED jaeger DID NOT RUN: {_WHY_NOT}")
