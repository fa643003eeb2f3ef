"""The command line: one command = one call of the Python API. Rows to stdout, talk to stderr."""

from __future__ import annotations

import io
import os
import sys

import click

from dnpcsql.errors import DnpcsqlError

COMMANDS = {
    "import": "importing",
    "forget": "importing",
    "query": "asking",
    "runs": "asking",
    "tasks": "asking",
    "types": "asking",
    "problems": "asking",
    "sources": "asking",
    "views": "asking",
    "task": "lives",
    "why": "why",
    "hops": "hops",
    "ledger": "ledgers",
    "clocks": "clocks",
    "idle": "idleness",
    "critical": "critical",
    "bottleneck": "bottleneck",
    "failures": "failures",
    "sequences": "orders",
    "audit": "auditing",
    "check": "checking",
    "export": "exporting",
    "serve": "serving",
    "plot": "plotting",
    "stats": "statistics",
    "compare": "statistics",
}


class _Lazy(click.Group):
    """Loads a command's module when it is asked for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(f"dnpcsql.cli.{module}"), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Click would say of a reader that has gone that something failed."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise _ReaderGoneError from None
        return result


class _ReaderGoneError(Exception):
    """Nobody reads our rows any more: `dnpcsql query … | head`."""


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--db",
    envvar="DNPCSQL_DB",
    metavar="FILE",
    help="The database.  [default: $DNPCSQL_DB, else dnpc.sqlite3]",
)
@click.version_option(package_name="dnpcsql", message="dnpcsql %(version)s")
@click.pass_context
def cli(context: click.Context, db: str | None) -> None:
    """Where did my time go? What a run left behind, as spans and events, in SQL.

    \b
    dnpcsql import runinfo          read everything that is there
    dnpcsql task last 12            one task's whole life
    dnpcsql query "SELECT app, avg(returned - invoked) FROM parsl_task GROUP BY app"

    RUN is a run id or its beginning, a directory's number (003), a workflow's name, or last.
    """
    context.obj = db


def main() -> None:
    """The console script `dnpcsql`. Exit status: 0 done, 1 what you can mend, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # What a command raised as click.exceptions.Exit comes back as a number.
        if status := cli(standalone_mode=False):
            sys.exit(status)
    except click.exceptions.Abort:
        click.echo("dnpcsql: stopped; what was read before is kept whole", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except DnpcsqlError as error:
        click.echo(f"dnpcsql: {error}", err=True)
        sys.exit(1)
    except _ReaderGoneError:
        # What is still in the buffer goes nowhere; the status is that of cat or grep.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
