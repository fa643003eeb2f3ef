from __future__ import annotations

import time

import pytest

from dnpcsql.importers.own.templates import LineForm, Template


@pytest.mark.parametrize(
    ("form", "line", "fields"),
    [
        ("{time} job {job} started", "12:00 job 7 started", {"time": "12:00", "job": "7"}),
        # blanks around fields do not count, nor those at the ends of a line
        ("{a} {b} done", "  x    y   done \r", {"a": "x", "b": "y"}),
        # a field is what stands before the text that follows it, at its first place
        ("{a}: {b}", "x: y: z", {"a": "x", "b": "y: z"}),
        ('"{request}" {status}', '"GET /a b" 200', {"request": "GET /a b", "status": "200"}),
        # {} is what does not matter, and may be nothing
        ("{level} ({}) - {text}", "INFO () - hello", {"level": "INFO", "text": "hello"}),
        ("{{{a}}}", "{x}", {"a": "x"}),
        ("started", "started", {}),
        ("took {s} s", "took 1.5 s", {"s": "1.5"}),
    ],
)
def test_a_line_is_taken_apart(form: str, line: str, fields: dict[str, str]) -> None:
    assert LineForm(form).match(line) == fields


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("job {job} started", "job 7 ended"),
        ("job {job} started", "a job 7 started"),
        ("job {job} started", "job 7 started again"),
        ("job {job} started", "job  started"),
        ("{a}={b};", "x=y"),
        ("started", "started again"),
    ],
)
def test_a_line_that_looks_otherwise_is_none(form: str, line: str) -> None:
    assert LineForm(form).match(line) is None


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("{a}{b}", "nothing stands between two fields"),
        ("{a} {a}", "twice"),
        ("{a", "a brace without its counterpart"),
        ("a}", "a brace without its counterpart"),
        ("{a}", "any line looks so"),
    ],
)
def test_a_form_that_cannot_be_is_told_of(form: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        LineForm(form)


def test_a_line_made_to_be_slow_costs_no_more_than_its_length() -> None:
    form = LineForm(" ".join(f"a{{x{number}}}" for number in range(50)) + " end")

    def spent(length: int) -> float:
        line = "a " * length
        began = time.process_time()
        for _ in range(20):
            assert form.match(line) is None
        return time.process_time() - began

    spent(100)
    assert spent(400_000) < 400 * max(spent(4_000), 1e-4)


def test_a_template_is_filled() -> None:
    fields = {"job": "7", "Job ID": 12, "flag": True, "none": None}
    assert Template("{job}").fill(fields) == "7"
    assert Template("{job}/{Job ID} {{x}} {flag}").fill(fields) == "7/12 {x} true"
    assert Template("started").fill(fields) == "started"
    assert Template("{none}").fill(fields) is None
    assert Template("a {missing}").fill(fields) is None
    with pytest.raises(ValueError, match="names no field"):
        Template("{}")
