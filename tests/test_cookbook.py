"""What the cookbook answers is what the runs it speaks of answer.

`python tests/test_cookbook.py` writes into it what its SQL answers now, to be read before it is
committed.
"""

from __future__ import annotations

import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from dnpcsql.cli.output import table
from dnpcsql.store import Store
from tests.conftest import DATA

ROOT = Path(__file__).resolve().parents[1]
COOKBOOK = ROOT / "docs" / "cookbook.md"
EXAMPLE = "the example run"

# ### 3. A question?  …  <!-- tests/data: NAME -->  …  ```sql … ```  …  ```text … ```
_RECIPE = re.compile(
    r"^### (?P<question>\d+\. .+)\n"
    r"(?P<between>(?:(?!^###|^```).*\n)*)"
    r"^```sql\n(?P<sql>(?:(?!^```).*\n)*)^```\n\n"
    r"^```text\n(?P<answer>(?:(?!^```).*\n)*)^```$",
    re.MULTILINE,
)
_OF = re.compile(r"<!-- tests/data: (\S+) -->")


class Recipe(NamedTuple):
    """A question, of which run it is asked, its SQL, and what the cookbook answers."""

    question: str
    of: str
    sql: str
    answer: str


def recipes() -> list[Recipe]:
    found = []
    for match in _RECIPE.finditer(COOKBOOK.read_text(encoding="utf-8")):
        of = _OF.search(match["between"])
        found.append(
            Recipe(match["question"], of[1] if of else EXAMPLE, match["sql"], match["answer"])
        )
    return found


def imported(of: str, place: Path) -> Store:
    """A store with the run that a recipe speaks of."""
    archive = ROOT / "examples" / "runinfo.tar.xz" if of == EXAMPLE else DATA / f"{of}.tar.xz"
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    store = Store(place / "dnpc.sqlite3")
    store.import_(place)
    return store


def answered(store: Store, sql: str) -> str:
    result = store.query(sql)
    return "".join(f"{line}\n" for line in table(result.columns, result.all()))


@pytest.fixture(scope="module")
def store_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Store]]:
    stores: dict[str, Store] = {}

    def find(of: str) -> Store:
        if of not in stores:
            stores[of] = imported(of, tmp_path_factory.mktemp("cookbook"))
        return stores[of]

    yield find
    for store in stores.values():
        store.close()


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.question)
def test_the_answer_is_what_the_run_says(recipe: Recipe, store_of: Callable[[str], Store]) -> None:
    assert answered(store_of(recipe.of), recipe.sql) == recipe.answer
    assert recipe.answer.count("\n") > 1


def test_thirty_questions_and_more_are_answered_each_with_its_number() -> None:
    found = recipes()
    text = COOKBOOK.read_text(encoding="utf-8")
    assert len(found) == text.count("\n### ") == text.count("```sql") >= 30
    numbers = [int(recipe.question.split(".")[0]) for recipe in found]
    assert numbers == list(range(1, len(found) + 1))


def main() -> None:
    """Write into the cookbook what its SQL answers now."""
    text = COOKBOOK.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        stores: dict[str, Store] = {}

        def written(match: re.Match[str]) -> str:
            of = _OF.search(match["between"])
            run = of[1] if of else EXAMPLE
            if run not in stores:
                place = Path(name, str(len(stores)))
                place.mkdir()
                stores[run] = imported(run, place)
            head = match[0][: match.start("answer") - match.start()]
            return f"{head}{answered(stores[run], match['sql'])}```"

        COOKBOOK.write_text(_RECIPE.sub(written, text), encoding="utf-8")


if __name__ == "__main__":
    main()
