"""The command line: one command = one call of the Python API. Rows to stdout, talk to stderr."""

from __future__ import annotations

import io
import os
import sys

import click

from dnpcsql.errors import DnpcsqlError

# Each command's module, and what --help says of it: modules are loaded when they are asked for.
COMMANDS = {
    "import": ("importing", "Read what a run left behind: a runinfo, a file, an archive."),
    "runs": ("asking", "Print the runs that were imported, the earliest first."),
    "why": ("why", "Say where the time of a RUN went, worst first."),
    "tasks": ("asking", "Print the tasks of a RUN, a line each."),
    "task": ("lives", "Print all that is known of a TASK of a RUN, event by event."),
    "query": ("asking", "Print the rows of SQL, of a view, or of SQL in a file."),
    "views": ("asking", "Print what each view tells; of one view, what each column does."),
    "hops": ("hops", "Print how long each hop of a RUN's tasks takes."),
    "ledger": ("ledgers", "Split the wall time of a RUN's tasks over their phases."),
    "failures": ("failures", "Print why things of a RUN failed, the costliest cause first."),
    "idle": ("idleness", "Say of each worker-second of a RUN that was not busy, why."),
    "critical": ("critical", "Print the critical path of a RUN, and what if it ran otherwise."),
    "bottleneck": (
        "bottleneck",
        "Say which stage of a RUN saturates first.",
    ),
    "clocks": ("clocks", "Bound by how much the clocks of a RUN's hosts differ."),
    "stats": ("statistics", "Print how long things of a RUN took."),
    "plot": ("plotting", "Draw a picture of a RUN into a file."),
    "compare": (
        "statistics",
        "Print whether one run's durations are other than another's.",
    ),
    "sequences": ("orders", "Print all orders of the events inside spans of a TYPE."),
    "types": ("asking", "Print the types of spans that there are, and of their events."),
    "audit": ("auditing", "Print how well the accounts of several files fit together."),
    "check": ("checking", "Check the database: is it whole, and can what it tells be so?"),
    "problems": ("asking", "Print what was not understood, by kind, or each with its place."),
    "sources": ("asking", "Print the files that were imported, and how well understood."),
    "export": ("exporting", "Send or write what is here, in other programs' words."),
    "serve": ("serving", "Take in traces that running OpenTelemetry programs send."),
    "forget": ("importing", "Take a run, or a source, out of the database again."),
}


class _Lazy(click.Group):
    """Loads a command's module when it is asked for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from importlib import import_module

        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command = getattr(import_module(f"dnpcsql.cli.{module}"), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, none of them loaded."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])

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
