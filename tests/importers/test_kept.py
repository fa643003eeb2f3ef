from __future__ import annotations

from dnpcsql.importers.kept import Kept


def test_what_is_kept_is_found_again() -> None:
    kept = Kept()
    assert kept["a"] is None
    kept["a"], kept["b"] = "1", "2"
    kept["a"] = "3"
    assert (kept["a"], kept["b"], kept["c"]) == ("3", "2", None)
    kept.close()
