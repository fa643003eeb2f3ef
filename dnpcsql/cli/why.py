"""`dnpcsql why`: where did my time go?"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import click

from dnpcsql.cli.output import plain, seconds, text_or_rows_option, write_rows
from dnpcsql.store import Store

if TYPE_CHECKING:
    from dnpcsql.answers.why import Why

_WIDE = 98


@click.command("why")
@click.argument("run", default="last")
@click.option("--most", default=8, show_default=True, help="Findings to print as text.")
@text_or_rows_option
@click.pass_obj
def why_command(db: str | None, run: str, most: int, format_: str) -> None:
    """Say where the time of a RUN went, worst first, each time with the command that shows more.

    A finding weighs the seconds that it is about: of waiting or work of all tasks together, so a
    second in which ten tasks wait weighs ten. Findings overlap: one may explain a part of another.
    """
    with Store(db) as store:
        found = store.why(run)
    if format_ != "text":
        rows = [
            (finding.weight, finding.sentence, finding.command, json.dumps(finding.evidence))
            for finding in found.findings
        ]
        write_rows(("weight_s", "sentence", "command", "evidence"), rows, format_)
        return
    click.echo("\n".join(_text(found, most)))


def _text(found: Why, most: int) -> list[str]:
    lines = _head(found)
    for number, finding in enumerate(found.findings[:most], 1):
        sentence = f"{plain(finding.sentence[:1].upper() + finding.sentence[1:])}."
        lines += textwrap.wrap(
            sentence, _WIDE, initial_indent=f"{number:>2}. ", subsequent_indent="    "
        )
        lines.append(f"    > {finding.command}" + _evidence(finding.evidence))
    if not found.findings:
        lines.append("Nothing stands out.")
    if len(found.findings) > most:
        lines.append(f"    {len(found.findings) - most} more: --most {len(found.findings)}")
    for said in found.caveats:
        lines += textwrap.wrap(f"note: {said}", _WIDE, subsequent_indent="      ")
    return lines


def _head(found: Why) -> list[str]:
    whole = found.ledger
    work = whole.totals().get("work", (0, 0, 0))[0]
    name = f' "{plain(found.run.name)}"' if found.run.name else ""
    share = f" ({100 * work / whole.wall_ns:.1f} %)" if whole.wall_ns else ""
    return [
        f"run {found.run.id[:8]}{name}: {_counts(found)} in {seconds(whole.elapsed_ns / 1e9)}",
        f"all tasks' time together: {seconds(whole.wall_ns / 1e9)}; {_worked(work)} of it{share}",
        *(["it never ended, as far as is told"] if found.run.ended is None else []),
        "",
    ]


def _counts(found: Why) -> str:
    return f"{found.ledger.tasks} tasks, {found.ledger.tries} tries"


def _worked(work: int) -> str:
    return f"their apps ran {seconds(work / 1e9)}"


def _evidence(lines: tuple[str, ...]) -> str:
    if not lines:
        return ""
    return f"      see {', '.join(plain(line) for line in dict.fromkeys(lines))}"
