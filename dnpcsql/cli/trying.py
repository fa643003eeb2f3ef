"""`dnpcsql import LOGS --importer my.toml --dry-run`: what the TOML makes of the lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from dnpcsql.cli.output import plain
from dnpcsql.errors import QueryError
from dnpcsql.importers.own.trial import Trial, trial

_SHOWN = 10
_WIDEST = 60


def try_out(paths: Sequence[str], toml: str | None, timezone: Sequence[str]) -> None:
    """Print what an import would do. Raises QueryError without a TOML file."""
    if toml is None or not toml.endswith(".toml"):
        raise QueryError("--dry-run shows what a TOML file is for: --importer my.toml")
    tried = trial([Path(path) for path in paths], Path(toml), timezone)
    for line in _told(tried, toml):
        click.echo(line)


def _told(tried: Trial, toml: str) -> Iterator[str]:
    left = f", {tried.ignored:,} ignored" if tried.ignored else ""
    yield f"{_count(tried.files, 'file')}, {_count(tried.lines, 'line')}: {tried.used:,} used{left}"
    for rule in tried.rules:
        yield f"\n{toml}:{rule.place}: {rule.told}: {_count(rule.lines, 'line')}"
        if rule.lines:
            yield f"  the first: {rule.where}"
        width = max((len(name) for name in rule.fields), default=0)
        for name, value in rule.fields.items():
            yield f"    {plain(name).ljust(width)}  {plain(value)[:_WIDEST]}"
    if tried.unmatched:
        count = _count(tried.unmatched.total(), "line")
        yield f"\n{count} that nothing is for, by shape (N: a number):"
        for shape, lines in tried.unmatched.most_common(_SHOWN):
            yield f"  {lines:,}  {plain(shape)}".rstrip()
    if tried.problem_count:
        yield f"\n{_count(tried.problem_count, 'problem')}:"
        yield from (f"  {plain(text)}" for text in tried.problems[:_SHOWN])
    made = ", ".join(_count(count, name) for name, count in tried.told().items() if count)
    yield f"\nan import would tell of {made or 'nothing'}; nothing was kept"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
