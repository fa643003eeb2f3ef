"""What an import brought of funcX and Globus Compute: whose tasks, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnpcsql.cli.output import plain, seconds
from dnpcsql.clock import local_text

if TYPE_CHECKING:
    from dnpcsql.importing import Importing
    from dnpcsql.store import Store

# A kind of account, and what it tells.
_ACCOUNTS = {
    "client": "the client's log (submission and retrieval, whose tasks they are)",
    "endpoint": "endpoint.log (the way through the endpoint and back)",
    "worker": "the workers' logs (which worker ran what, and when)",
    "cloud": "the service's logs, from CloudWatch (the way between client and endpoint)",
}


def told(store: Store, done: Importing) -> list[str]:
    """Lines for a person: the clients, how many tasks they have, and what no file tells of them."""
    from dnpcsql.importers.funcx_names import RUN  # with it come all importers

    if not any(RUN in source.runs for source in (*done.added, *done.unchanged)):
        return []
    lines, missing = [], []
    rows = store.query("SELECT * FROM funcx_client ORDER BY started IS NULL, started, uuid").dicts()
    if not rows:
        return ["  funcX: no task is told of (today's endpoint.log does at DEBUG level only)"]
    for row in rows:
        tasks = f"{row['tasks']:,} task{'s' * (row['tasks'] != 1)}"
        name = "of other clients"
        if row["uuid"] is None:
            lines.append(f"  funcX: {tasks} of clients whose log is not here")
            if len(rows) > 1:
                continue  # not what was asked of: they are counted
        else:
            name = f"of client {plain(row['task_group_id'] or row['uuid'][14:])[:8]}"
            started = local_text(round(row["started"] * 1e9))[:19]
            lasted = seconds(row["ended"] - row["started"])
            lines.append(f"  funcX: {tasks} {name}  {started} UTC  {lasted}")
        for account, text in _ACCOUNTS.items():
            known = row[account]
            if row["tasks"] and not known:
                missing.append(f"  missing {name}: {text}")
            elif known < row["tasks"]:
                missing.append(f"  missing {name}, for {row['tasks'] - known:,} of {tasks}: {text}")
    return lines + missing
