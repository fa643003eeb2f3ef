"""ASK: views that live in the database file, one .sql each, every column explained."""

from __future__ import annotations

import re
from typing import NamedTuple

from dnpcsql.database import sql_files

_COLUMN = re.compile(r"\bAS \"?([\w.]+)\"?,? +-- (.+)$", re.MULTILINE)


class View(NamedTuple):
    """What a view tells, and what each of its columns does."""

    name: str
    about: str
    columns: dict[str, str]


def views() -> list[View]:
    """All views, by name, as their files explain them."""
    return [_explained(name, text) for name, text in sql_files("dnpcsql.views").items()]


def _explained(name: str, text: str) -> View:
    head, _, body = text.partition("CREATE VIEW")
    about = " ".join(line.removeprefix("--").strip() for line in head.strip().split("\n"))
    return View(name, about, dict(_COLUMN.findall(body)))
