"""`dnpcsql check`: whether the database is whole, and what it tells can be."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from dnpcsql.checks import DAMAGED, LEVELS, NOTE, ODD, Finding
from dnpcsql.cli.output import plain, text_or_rows_option, write_rows
from dnpcsql.store import Store

_HEADS = {
    DAMAGED: "Damaged: no import leaves this behind",
    ODD: "Odd: it cannot have been so, or is no longer so",
    NOTE: "To know: what a run that broke is expected to show",
}


@click.command("check")
@text_or_rows_option
@click.pass_context
def check_command(context: click.Context, format_: str) -> None:
    """Check the database: is it whole, and can what it tells be so?

    Looks at the file and its tables, at relations without ends, circles, times that cannot be,
    and at whether the files that were read are still the same. Each finding comes with examples
    and with what shows more. Exit status 1 if anything is damaged or odd.
    """
    with Store(context.obj) as store:
        found = store.check()
        known = len(store.sources()) if not found or found[0].level != DAMAGED else 0
    if format_ == "text":
        click.echo("\n".join(_text(found, str(store.path), known)))
    else:
        rows = [(*one[:3], json.dumps(one.examples, ensure_ascii=False), one.more) for one in found]
        write_rows(Finding._fields, rows, format_)
    if any(one.fails for one in found):
        context.exit(1)


def _text(found: Sequence[Finding], path: str, sources: int) -> list[str]:
    lines: list[str] = []
    for level in LEVELS:
        if of_level := [one for one in found if one.level == level]:
            lines += [_HEADS[level], *(line for one in of_level for line in _told(one)), ""]
    counts = [f"{sum(one.level == level for one in found)} {level}" for level in (DAMAGED, ODD)]
    if any(one.fails for one in found):
        return [*lines, f"{plain(path)}: {', '.join(counts)}"]
    return [*lines, f"{plain(path)}: whole, and nothing odd ({sources} sources)"]


def _told(one: Finding) -> list[str]:
    examples = [f"    {plain(text)}" for text in one.examples]
    rest = one.times - len(one.examples)
    if rest:
        examples.append(f"    … and {rest:,} more")
    more = [f"    more: {plain(one.more)}"] if one.more else []
    return [f"  {one.what}: {one.times:,}", *examples, *more]
