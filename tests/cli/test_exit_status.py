from __future__ import annotations

import click
import pytest

from dnpcsql.cli import cli
from tests.cli.conftest import Run


@click.command()
def ended() -> None:
    raise click.exceptions.Exit(1)


def test_the_status_that_a_command_asks_for_is_the_programs(
    dnpcsql: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `export otlp --verify` does, when something is missing."""
    monkeypatch.setattr(type(cli), "get_command", lambda *_: ended)
    assert dnpcsql("runs").status == 1


def test_help_is_no_failure(dnpcsql: Run) -> None:
    assert dnpcsql("--help").status == 0
