from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnpcsql import identity
from dnpcsql.identity import MONITORING, PARSL_LOG, Names, run_id_of, trace_id_of

RUN = "71d4a751-6867-449f-b893-6b653903b644"


def test_people_can_read_a_task_and_a_try_in_their_ids() -> None:
    names = Names(RUN, PARSL_LOG)
    assert names.workflow() == "6b653903b6442100000000000000"
    assert names.task(55555) == "6b653903b6442200000555550000"
    assert names.attempt(55555, 3) == "6b653903b6442300000555550003"


def test_what_two_files_tell_of_one_thing_differs_in_one_digit() -> None:
    stored, logged = Names(RUN, MONITORING).task(7), Names(RUN, PARSL_LOG).task(7)
    assert [place for place in range(28) if stored[place] != logged[place]] == [12]


def test_ids_come_in_the_order_of_tasks_and_tries() -> None:
    names = Names(RUN, PARSL_LOG)
    made = [names.attempt(task, try_id) for task in (0, 9, 10, 99, 100) for try_id in (0, 1, 10)]
    assert made == sorted(made)


def test_a_block_keeps_its_number_and_a_worker_its_rank() -> None:
    names = Names(RUN, PARSL_LOG)
    assert names.block("htex", "17").endswith("00000017")
    assert names.worker("91365d3eae4d", 3).endswith("0003")
    assert names.executor_task("htex", 12).endswith("00000012")
    assert names.block("htex", "17")[:20] == names.block("htex", "18")[:20]
    assert names.block("htex", "17")[:20] != names.block("htex_2", "17")[:20]


@pytest.mark.parametrize(("task_id", "try_id"), [(10**10, 0), (-1, 0), (0, 10**4), (0, -1)])
def test_a_number_that_no_task_or_try_can_have_is_refused(task_id: int, try_id: int) -> None:
    with pytest.raises(ValueError, match="number"):
        Names(RUN, PARSL_LOG).attempt(task_id, try_id)


def test_a_task_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="10000000000"):
        Names(RUN, PARSL_LOG).task(10**10)


@pytest.mark.parametrize(
    "beyond",
    [
        lambda names: names.worker("91365d3eae4d", 10**4),
        lambda names: names.executor_task("htex", 10**8),
        lambda names: names.block("htex", "not a number"),
        lambda names: names.block("htex", "123456789"),
    ],
)
def test_what_is_too_large_for_its_digits_cannot_be_taken_for_a_number(
    beyond: Callable[[Names], str],
) -> None:
    share = beyond(Names(RUN, PARSL_LOG))[14:]
    assert re.fullmatch(r"[0-9a-f]{6}(f[0-9a-f]{7}|[0-9a-f]{4}f[0-9a-f]{3})", share)


def test_block_ids_that_read_as_one_number_are_still_two_blocks() -> None:
    names = Names(RUN, PARSL_LOG)
    assert names.block("htex", "7") != names.block("htex", "07")


_TEXT = st.text(max_size=12)
_NUMBER = st.integers(min_value=0, max_value=10**10 - 1)
_RANK = st.integers(min_value=0, max_value=2 * 10**4)
_TRY = st.integers(min_value=0, max_value=10**4 - 1)
_BLOCK = st.one_of(_TEXT, st.integers(min_value=0, max_value=10**9).map(str))
_MADE = st.one_of(
    st.tuples(st.just("workflow")),
    st.tuples(st.just("task"), _NUMBER),
    st.tuples(st.just("attempt"), _NUMBER, _TRY),
    st.tuples(st.just("executor"), _TEXT),
    st.tuples(st.just("block"), _TEXT, _BLOCK),
    st.tuples(st.just("manager"), _TEXT),
    st.tuples(st.just("worker"), _TEXT, _RANK),
    st.tuples(st.just("executor_task"), _TEXT, _NUMBER),
    st.tuples(st.just("named"), _TEXT, _TEXT),
)


@given(_MADE, _MADE)
def test_two_names_never_make_one_id(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    names = Names(RUN, PARSL_LOG)
    first: str = getattr(names, str(one[0]))(*one[1:])
    second: str = getattr(names, str(other[0]))(*other[1:])
    assert (first == second) == (one == other)
    assert re.fullmatch(r"[0-9a-f]{28}", first)
    assert first.startswith("6b653903b6442")


def test_the_parts_of_a_name_are_kept_apart() -> None:
    assert identity.hexdigest(16, "a\0b") != identity.hexdigest(16, "a", "b")
    assert identity.hexdigest(16, "a", "") != identity.hexdigest(16, "a")


def test_a_runs_trace_id_is_its_run_id_and_back() -> None:
    assert trace_id_of(RUN) == "71d4a7516867449fb8936b653903b644"
    assert trace_id_of(RUN.upper()) == trace_id_of(RUN)
    assert run_id_of(trace_id_of(RUN)) == RUN


@pytest.mark.parametrize("name", ["my run", "", "0" * 32, "00000000-0000-0000-0000-000000000000"])
def test_a_run_of_another_name_has_a_trace_id_too_and_never_all_zero(name: str) -> None:
    made = trace_id_of(name)
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert made.strip("0")
    assert made != trace_id_of(name + "!")


def test_ids_are_the_same_in_another_process() -> None:
    code = (
        "from dnpcsql.identity import Names; n = Names('my run', '2'); "
        "print(n.block('htex', 'x'), n.worker('u', 1), n.named('a', 1))"
    )
    names = Names("my run", "2")
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [
        names.block("htex", "x"),
        names.worker("u", 1),
        names.named("a", 1),
    ]
