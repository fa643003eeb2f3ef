"""Records of a user's own: what is no JSON is refused, so that all the rest can be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnpcsql.identity import NAMED, Names
from dnpcsql.records import Event, Link, Sample, Span, Told
from dnpcsql.store import Store
from tests.exporters.sent import export

NAMES = Names("a job", NAMED)
JOB, STEP = NAMES.named("job", "1"), NAMES.named("step", "1")
NOW = 1_795_331_200_000_000_000


def span(uuid: str, attributes: str | None) -> Span:
    return Span(
        uuid, "job", NAMES.trace_high, start_unix_nano=NOW, end_unix_nano=NOW + 1,
        attributes=attributes, line=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ('{"a":NaN}', "has no NaN"),
        ('{"a":-Infinity}', "has no -Infinity"),
        ("{'a': 1}", "double quotes"),
        ("[1]", "not a JSON object"),
        ("", "Expecting value"),
        ('{"a":1} {"b":2}', "Extra data"),
        ('{"a":' * 600 + "1" + "}" * 600, "nested more than 500 deep"),
        ('{"a":' * 200_000, "recursion"),
    ],
)
def test_what_is_no_json_is_a_problem_and_the_rest_goes_out(
    attributes: str, words: str, store: Store, tmp_path: Path
) -> None:
    source = store.add(
        [
            span(JOB, attributes),
            span(STEP, '{"a":1}'),
            Event(STEP, NOW, "begun", 4, attributes=attributes),
            Link(STEP, JOB, "after", attributes=attributes),
            Sample(STEP, NOW, 5, attributes),
            Told(span(JOB, None)._replace(type="otel.span"),
                 [Event(JOB, NOW, "e", 1, attributes=attributes)]),
        ]
    )  # fmt: skip
    assert source.problems == 5
    problems = store.query("SELECT kind, text FROM problem").all()
    assert {kind for kind, _ in problems} == {"record refused"}
    assert all(words in text for _, text in problems)
    _, sent = export(store, tmp_path)
    assert [one.span.span_id.hex() for one in sent] == [STEP[12:]]
