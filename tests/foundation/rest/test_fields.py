"""Fields are strict about types when they read, and spell alike when they write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from foundation import ids
from foundation.errors import NotFound
from foundation.money import LARGEST, nano
from foundation.rest.bodies import Fields
from foundation.rest.fields import Instant, NanoUsd, PublicId, Text, Usd, Whole


class Body(Fields):
    text = Text(required=False)
    whole = Whole(required=False)
    at = Instant(required=False)
    key = PublicId("key", required=False)
    inner = serializers.ListField(child=Text(), required=False)
    amount_usd = Usd("amount")
    amount_nano_usd = NanoUsd("amount")


def read(**facts):
    """Return the checked body."""
    body = Body(data=facts)
    body.is_valid(raise_exception=True)
    return body.validated_data


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_text_arrives_as_it_is(text):
    assert read(text=text)["text"] == text


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], {}, "", "a\0b", "\ud800"])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ValidationError):
        read(text=value)


@given(st.integers(0, LARGEST))
def test_whole_numbers_arrive(number):
    assert read(whole=number)["whole"] == number


@pytest.mark.parametrize("value", ["1", 1.0, True, None, -1, LARGEST + 1, 10**400, [], float("inf")])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(ValidationError):
        read(whole=value)


@given(st.integers(0, 2 * 10**11), st.integers(0, 999_999), st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_the_same_wherever_it_was_written(seconds, microseconds, minutes):
    moment = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    at = moment.astimezone(timezone(timedelta(minutes=minutes)))
    found = read(at=at.isoformat())["at"]
    assert found == at
    assert found.utcoffset() == timedelta(0)
    assert Instant().to_representation(at) == at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    "value",
    ["2026-11-21T10:00:00", "2026-11-21", "now", "", 0, None, "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"],
)
def test_what_is_no_instant_is_refused(value):
    with pytest.raises(ValidationError):
        read(at=value)


def test_an_id_arrives_and_leaves():
    key = ids.uuid7()
    assert read(key=ids.public("key", key))["key"] == key
    assert PublicId("key").to_representation(key) == ids.public("key", key)


@pytest.mark.parametrize("value", ["key_", "proj_01h455vb4pex5vsknk084sn02q", 7, [], {}, True])
def test_an_id_that_cannot_be_is_as_unknown_as_one_that_is_not_there(value):
    with pytest.raises(NotFound) as raised:
        read(key=value)
    assert raised.value.param == "key"


@given(st.integers(-LARGEST, LARGEST))
def test_the_decimal_beside_an_amount_is_exact(amount):
    shown = Body({"amount": amount}).data
    assert shown["amount_nano_usd"] == amount
    assert nano(shown["amount_usd"]) == amount
    assert "E" not in shown["amount_usd"]


@pytest.mark.parametrize("name", ["amount_usd", "amount_nano_usd", "color"])
def test_what_is_no_field_of_a_body_is_refused(name):
    with pytest.raises(ValidationError) as raised:
        read(**{name: 1})
    assert list(raised.value.detail) == [name]
