"""A body has one meaning, or it is refused."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from foundation.rest.parsing import parse

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, JSON))
def test_what_json_can_say_arrives(value):
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_bytes_are_an_object_or_refused(body):
    with suppress(InvalidRequest):
        assert isinstance(parse(body), dict)


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'{"x": {"a": 1, "b": 2, "a": 3}}', b'{"x": [{"a": 1, "a": 2}]}']
)
def test_a_name_that_is_there_twice_is_refused(body):
    with pytest.raises(InvalidRequest) as raised:
        parse(body)
    assert raised.value.param == "a"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[{}]", b'"text"', b"{'a': 1}", b'{"a": Infinity}', b"{} {}", b"\xef\xbb\xbf{}"]
)
def test_what_is_no_object_is_refused(body):
    with pytest.raises(InvalidRequest):
        parse(body)
