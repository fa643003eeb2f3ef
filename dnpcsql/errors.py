"""Errors that are for people: what, where, and what to do."""

from __future__ import annotations


class DnpcsqlError(Exception):
    """Something that the user can mend. Its text is all that is shown."""


class NotFoundError(DnpcsqlError):
    """There is no such run, task, view, file or database."""


class NotOursError(DnpcsqlError):
    """A file that is no database of this version of dnpcsql."""


class LockedError(DnpcsqlError):
    """Another program holds the database."""


class NoLocksError(DnpcsqlError):
    """A database cannot be written where two programs could do so at once."""


class UnreadableError(DnpcsqlError):
    """A file that cannot be read, or not as what it seemed to be."""


class NoRoomError(UnreadableError):
    """A file that cannot be read, as there is no room for what it unpacks to."""


class QueryError(DnpcsqlError):
    """SQL that SQLite does not take."""


class SettingError(DnpcsqlError):
    """An option, or a variable of the environment, that makes no sense."""


class SendError(DnpcsqlError):
    """A receiver that cannot be reached, or that does not take what it is sent."""
