"""JSON with one meaning only."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from inference.gateway.strict_json import parse_object

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_what_is_valid_reads_as_it_was_written(value):
    assert parse_object(orjson.dumps(value)) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1} {"b":2}',
    ],
)
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(InvalidRequest):
        parse_object(body)


@pytest.mark.parametrize(
    "body",
    [b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"x":[{"b":1 , "b" :2}]}', b'{"t":"\\":","a":1,"a":2}'],
)
def test_a_key_twice_in_one_object_is_refused(body):
    with pytest.raises(InvalidRequest, match="twice"):
        parse_object(body)


def test_text_that_looks_like_keys_is_not_taken_for_keys():
    value = {"content": '{"a":1,"a":2}', "a": {"a": [{"a": 1}, {"a": 2}]}}
    assert parse_object(orjson.dumps(value)) == value


def test_depth_ends_at_sixty_four():
    assert parse_object(b'{"a":' * 64 + b"1" + b"}" * 64)
    with pytest.raises(InvalidRequest, match="64 levels"):
        parse_object(b'{"a":' * 65 + b"1" + b"}" * 65)
    with pytest.raises(InvalidRequest):
        parse_object(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_integers_fit_into_sixty_four_bits():
    assert parse_object(b'{"a":9223372036854775807}') == {"a": 2**63 - 1}
    with pytest.raises(InvalidRequest, match="64 bits"):
        parse_object(b'{"a":9223372036854775808}')


@pytest.mark.parametrize("item", [b"[],", b"{},", b"1,"])
def test_a_body_of_nothing_but_values_is_refused_before_it_costs_anything(item):
    with pytest.raises(InvalidRequest, match="more than"):
        parse_object(b'{"a":[' + item * 1_000_000 + b"1]}")


def test_a_key_that_ends_in_a_backslash_hides_no_duplicate():
    with pytest.raises(InvalidRequest, match="twice"):
        parse_object(b'{"x\\\\":1,"a":1,"a":2}')
    with pytest.raises(InvalidRequest, match="twice"):
        parse_object(b'{"x\\\\":1,"a":1,"a":":"}')
    assert parse_object(b'{"x\\\\":1,"a":":"}') == {"x\\": 1, "a": ":"}
