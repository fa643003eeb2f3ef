"""`dnpcsql sequences`: the orders in which things happen."""

from __future__ import annotations

import click

from dnpcsql.analyses.differences import difference
from dnpcsql.analyses.sequences import Variant
from dnpcsql.cli.output import table, text_or_rows_option, write_rows
from dnpcsql.store import Store


@click.command("sequences")
@click.argument("type_", metavar="[TYPE]", required=False)
@click.option("--most", default=20, show_default=True, help="Orders to print as text.")
@text_or_rows_option
@click.pass_obj
def sequences_command(db: str | None, type_: str | None, most: int, format_: str) -> None:
    """Print all orders of the events inside spans of a TYPE, the commonest first.

    For each step: mean seconds since the first event, and mean, least and most since the one
    before. Orders that cannot be, or that come of racing records, are marked; all after the first
    are compared with it.

    \b
    dnpcsql sequences parsl.monitoring.task
    """
    with Store(db) as store:
        found = store.sequences(type_)
    if format_ != "text":
        columns = ("sequence", "count", "step", "label", "mean_since_start_s", "mean_gap_s",
                   "min_gap_s", "max_gap_s", "marks")  # fmt: skip
        rows = [
            (number, variant.count, place, *row, "; ".join(variant.marks()))
            for number, variant in enumerate(found, 1)
            for place, row in enumerate(_rows(variant))
        ]
        write_rows(columns, rows, format_)
        return
    total = sum(variant.count for variant in found)
    click.echo(f"{total} spans, {len(found)} orders of events")
    for number, variant in enumerate(found[:most], 1):
        share = 100 * variant.count / total
        click.echo(f"\norder {number}: {variant.count} spans, {share:.1f} %")
        lines = [(row[1], row[2], row[3], row[4], row[0]) for row in _rows(variant)]
        texts = [[f"{value:.9f}" for value in line[:4]] + [line[4]] for line in lines]
        head = ("mean since start", "mean gap", "least", "most", "event")
        click.echo("\n".join(table(head, texts, indent="  ")))
        for mark in variant.marks():
            click.echo(f"  {mark}")
        if variant is not found[0]:
            click.echo("\n".join(_compared(found[0], variant)))
    if len(found) > most:
        click.echo(f"\n{len(found) - most} more orders: --most {len(found)}")


def _compared(main: Variant, variant: Variant) -> list[str]:
    """How it differs from the main path."""
    differs = difference(main, variant)
    how = [
        f"{word} {', '.join(labels)}"
        for word, labels in (
            ("without", differs.without),
            ("with", differs.besides),
            ("elsewhere", differs.moved),
        )
        if labels
    ]
    word = "more" if differs.more_s >= 0 else "less"
    cost = f"{differs.mean_s:.3f} s, {abs(differs.more_s):.3f} s {word} than order 1"
    return [
        f"  differs from order 1: {'; '.join(how)}",
        f"  takes {cost}; {differs.all_s:.3f} s in all",
    ]


def _rows(variant: Variant) -> list[tuple[str, float, float, float, float]]:
    """Each step: label, and seconds: mean since start, mean gap, least, most."""
    count = variant.count * 1e9
    return [
        (
            step.label,
            step.since_start_sum / count,
            step.gap_sum / count,
            step.gap_min / 1e9,
            step.gap_max / 1e9,
        )
        for step in variant.steps
    ]
