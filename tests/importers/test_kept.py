from __future__ import annotations

from dnpcsql.importers.kept import Kept


def test_what_is_kept_is_found_again() -> None:
    kept = Kept()
    for key, value in (("a", "1"), ("b", "2"), ("a", "3")):
        kept[key] = value
    assert [kept[key] for key in ("a", "b", "c")] == ["3", "2", None]
    kept.close()
