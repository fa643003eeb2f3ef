"""`dnpcsql export wfformat`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click

from dnpcsql.errors import UnreadableError
from dnpcsql.exporters.wfformat import Written, write
from dnpcsql.importers.sqlite_file import is_sqlite
from dnpcsql.store import Store


@click.command("wfformat")
@click.argument("run", default="last")
@click.option("-o", "--output", metavar="FILE", help="Where to.  [default: stdout]")
@click.pass_obj
def wfformat_command(db: str | None, run: str, output: str | None) -> None:
    """Write a RUN as WfFormat 1.5, which WfCommons and its tools read.

    \b
    dnpcsql export wfformat last -o run.json
    """
    with Store(db) as store:
        if output is None or output == "-":
            written = write(store, run, sys.stdout)
        else:
            written = _to_file(store, run, Path(output))
    click.echo(_said(written), err=True)


def _to_file(store: Store, run: str, path: Path) -> Written:
    """A whole file or none: it is written beside the place, and moved there."""
    if path.is_file():
        with path.open("rb") as there:
            if is_sqlite(there.read(16)):
                raise UnreadableError(f"{path} is a database: it is not overwritten")
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.absolute().parent, prefix=path.name, delete=False
        ) as file:
            try:
                written = write(store, run, file)
            except BaseException:
                Path(file.name).unlink()
                raise
        mask = os.umask(0)
        os.umask(mask)
        Path(file.name).chmod(0o666 & ~mask)
        Path(file.name).replace(path)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from None
    return written


def _said(written: Written) -> str:
    ran = "; ".join(f"{count:,} from {how}" for how, count in written.executions.most_common())
    return (
        f"{written.tasks:,} tasks, {written.dependencies:,} dependencies, "
        f"{written.machines:,} machines; runtimes of {written.executions.total():,} tasks that ran"
        + (f": {ran}" if ran else "")
    )
