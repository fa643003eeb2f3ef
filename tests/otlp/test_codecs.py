from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from dnpcsql.exporters.encoding import Json
from dnpcsql.otlp import json_codec, json_values, protobuf_codec, protobuf_values, wire
from dnpcsql.otlp.attributes import from_text, to_text
from dnpcsql.otlp.incoming import Incoming
from dnpcsql.records import Span, Told
from tests.otlp.messages import content, groups_of, resource_spans

values = st.recursive(
    st.one_of(
        st.none(),
        st.text(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        st.binary(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(), st.sampled_from(["$map", "$bytes", "$double", "$empty"])),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_attributes_come_back_from_text_as_they_were(attributes: dict[str, Any]) -> None:
    back = from_text(to_text(attributes))
    assert back == attributes
    assert repr(back) == repr(attributes), "1, 1.0 and True are three values"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, '{"a":1.0}'),
        (1e22, '{"a":1e+22}'),
        (2**63 - 1, '{"a":9223372036854775807}'),
        (float("nan"), '{"a":{"$double":"NaN"}}'),
        (float("-inf"), '{"a":{"$double":"-Infinity"}}'),
        (b"\0\xff", '{"a":{"$bytes":"AP8="}}'),
        (None, '{"a":{"$empty":true}}'),
        ([1, "ü", None], '{"a":[1,"ü",{"$empty":true}]}'),
        ({"$bytes": "AP8="}, '{"a":{"$map":{"$bytes":"AP8="}}}'),
    ],
)
def test_what_json_lacks_is_written_as_the_recipe_says(value: Any, text: str) -> None:
    assert to_text({"a": value}) == text


@given(resource_spans)
@settings(deadline=None)
def test_protobuf_comes_out_as_it_went_in(message: ResourceSpans) -> None:
    (back,) = protobuf_codec.encode(groups_of([message]))
    assert back.SerializeToString(deterministic=True) == message.SerializeToString(
        deterministic=True
    )


@given(resource_spans)
@settings(deadline=None)
def test_json_says_the_same_as_protobuf(message: ResourceSpans) -> None:
    groups = groups_of([message])
    incoming = Incoming()
    back = [
        group._replace(spans=list(group.spans))
        for element in json.loads(json.dumps(list(json_codec.encode(groups))))
        for group in json_codec.decode(element, incoming)
    ]
    assert [content(group) for group in back] == [content(group) for group in groups]


@given(st.lists(resource_spans, max_size=2))
@settings(deadline=None)
def test_the_wire_encoder_agrees_with_the_protobuf_library(messages: list[ResourceSpans]) -> None:
    groups = groups_of(messages)
    by_hand = TracesData.FromString(b"".join(wire.encode(groups)))
    by_library = TracesData(
        resource_spans=[one for group in groups for one in protobuf_codec.encode([group])]
    )
    assert by_hand.SerializeToString(deterministic=True) == by_library.SerializeToString(
        deterministic=True
    )


BEYOND = {
    "big": 1 << 63, "low": -(1 << 63) - 1, "list": [1 << 80], "most": (1 << 63) - 1,
    "half": "a\ud800", "k\udfff": 1, "map": {"\ud800": "\ud800", "x": 1}, "long": "\ud800" * 300,
}  # fmt: skip
WITHIN = {
    "big": "9223372036854775808", "low": "-9223372036854775809", "list": [str(1 << 80)],
    "most": (1 << 63) - 1, "half": "a?", "k?": 1, "map": {"?": "?", "x": 1}, "long": "?" * 300,
}  # fmt: skip


def test_what_otlp_has_no_room_for_leaves_as_text() -> None:
    text = json.dumps(BEYOND)  # \ud800 can be said in JSON
    pairs = Json().span(Told(Span("0" * 28, "x", "1" * 20, attributes=text)))
    by_json = json_values.decode_attributes(json.loads(pairs)["attributes"], Incoming())
    by_hand = SpanMessage()
    by_hand.ParseFromString(wire.attributes(0x4A, text))
    by_library = SpanMessage(attributes=protobuf_values.encode_attributes(text))
    assert by_json == WITHIN
    assert by_hand == by_library
    assert protobuf_values.decode_attributes(by_hand.attributes, Incoming()) == WITHIN


def test_the_wire_encoder_stays_short() -> None:
    lines = Path(wire.__file__).read_text(encoding="utf-8").split("\n")
    code = [line for line in lines if line.strip() and not line.strip().startswith(('"""', "#"))]
    assert len(code) < 100
