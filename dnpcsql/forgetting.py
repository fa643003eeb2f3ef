"""`dnpcsql forget`: take a run, or a source, out again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dnpcsql import database, sources
from dnpcsql.errors import NotFoundError
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.sources import Source
    from dnpcsql.store import Store


def forget(store: Store, name: str) -> list[Source]:
    """Forget the source of that path, or the run of that name; return the sources touched.

    Of a database that tells of other runs too, those stay; the next import reads it again.
    Raises NotFoundError if there is no such source or run.
    """
    known = store.sources()
    found = [source for source in known if source.path == name] or [
        source for source in known if source.path.endswith(f"/{name.lstrip('./')}")
    ]
    if len(found) > 1:
        listed = "; ".join(source.path for source in found[:10])
        raise NotFoundError(f"{name} could be any of these: {listed}")
    connection = store.writing()
    if found:
        with database.telling(store.path), database.transaction(connection):
            sources.remove(connection, found)
        return found
    part = trace_id_of(store.run(name).id)[-12:]
    touched = [source for source in known if part in json.loads(source.runs)]
    with database.telling(store.path), database.transaction(connection):
        alone = [source for source in touched if json.loads(source.runs) == [part]]
        sources.remove(connection, alone)
        sources.remove_run(connection, part)
    return touched
