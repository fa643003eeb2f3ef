"""`dnpcsql audit`: how well the accounts of several files fit together."""

from __future__ import annotations

import click

from dnpcsql.cli.output import format_option, plain, table, write_rows
from dnpcsql.store import Store

_SHOWN = 20


@click.command("audit")
@click.argument("run", required=False)
@click.option("--unmatched", is_flag=True, help="Only what was not matched, all of it.")
@format_option
@click.pass_obj
def audit_command(db: str | None, run: str | None, unmatched: bool, format_: str) -> None:
    """Print, for each pair of accounts, what is in both, and what in one only.

    By run and executor. What is in one only is listed with its file and line, where the other
    account was imported at all.
    """
    with Store(db) as store:
        found = None if run is None else store.run(run).id
        where = "" if found is None else "WHERE run_id = :run"
        pairs = store.query(f"SELECT * FROM join_audit {where} ORDER BY 1, 2, 3", run=found)
        alone = store.unmatched(run)
        rows = [
            (one.run_id, one.executor, one.pair, one.side, one.what, _place(one.path, one.line))
            for one in alone
        ]
        columns = ("run_id", "executor", "pair", "only", "what", "place")
        if unmatched:
            write_rows(columns, rows, format_)
            return
        write_rows(pairs.columns, pairs, format_)
    if format_ == "table" and rows:
        click.echo(f"\n{len(rows)} in one account only:")
        click.echo("\n".join(table(columns[2:], [row[2:] for row in rows[:_SHOWN]], indent="  ")))
        if len(rows) > _SHOWN:
            click.echo(f"  … `dnpcsql audit {plain(run or '')} --unmatched` lists them all")


def _place(path: str | None, line: int | None) -> str:
    return f"{path or '?'}:{line}" if line else path or "?"
