"""A page is cut out of rows by what was seen last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from foundation.errors import InvalidRequest
from foundation.rest import pages
from foundation.rest.pages import PageQuery
from tenants.models import User
from tests.tenants import cast


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
def test_pages_add_up_to_the_rows(limit):
    people = [cast.person(f"p{number}") for number in range(6)]
    seen: list[User] = []
    cursor: str | None = ""
    while cursor is not None:
        page = pages.newest_first(User.objects.all(), {"limit": limit, "cursor": cursor}, prefix="user")
        assert 0 < len(page.rows) <= limit
        seen, cursor = seen + list(page.rows), page.next_cursor
    assert seen == people[::-1]


@pytest.mark.django_db
def test_rows_by_name_are_found_after_a_name_that_is_gone():
    for name in ("a", "c", "e"):
        cast.person(name)
    page = pages.by_name(User.objects.all(), {"limit": 1, "cursor": "b@example.com"}, field="email")
    assert ([user.email for user in page.rows], page.next_cursor) == (["c@example.com"], "c@example.com")


@given(st.text(min_size=1, max_size=40))
def test_a_cursor_is_an_id_or_refused(cursor):
    with pytest.raises(InvalidRequest) as raised:
        pages.newest_first(User.objects.all(), {"limit": 1, "cursor": cursor}, prefix="user")
    assert raised.value.param == "cursor"


def test_a_page_is_fifty_rows_if_nobody_says():
    asked = PageQuery(data={})
    assert asked.is_valid()
    assert asked.validated_data == {"limit": 50, "cursor": ""}


def test_the_shape_of_a_page_bears_the_name_of_its_items():
    class Thing(serializers.Serializer):
        id = serializers.CharField()

    shape = pages.shape(Thing)
    assert shape.__name__ == "ThingPage"
    assert list(shape().fields) == ["data", "next_cursor"]
