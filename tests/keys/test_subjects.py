"""What a request is of beside its key, as texts and as ids."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.ids import uuid7
from keys import subjects
from keys.subjects import EACH, SCOPES, Subject

ACME, GLOBEX = uuid7(), uuid7()
ALL: dict[str, Any] = {"member_id": uuid7(), "customer": "alice", "model": "sim", "client": "192.0.2.7"}


def test_only_the_scopes_in_use_are_looked_at():
    assert subjects.of_request(ACME, frozenset(), **ALL) == ()
    (found,) = subjects.of_request(ACME, {"customer"}, **ALL)
    assert found == Subject(ACME, "customer", "alice")


def test_what_is_not_known_has_no_limits():
    nothing: dict[str, Any] = {"member_id": None, "customer": "", "model": "sim", "client": None}
    assert [found.scope for found in subjects.of_request(ACME, frozenset(SCOPES), **nothing)] == ["model"]


def test_equal_names_in_two_organizations_are_two():
    assert Subject(ACME, "customer", "alice").scope_id != Subject(GLOBEX, "customer", "alice").scope_id
    assert Subject(ACME, "customer", "alice").scope_id != Subject(ACME, "model", "alice").scope_id
    assert Subject(ACME, "customer", "").scope_id == EACH


@given(st.text(min_size=1, max_size=128), st.text(min_size=1, max_size=128))
def test_an_id_stands_for_one_name(one, other):
    same = Subject(ACME, "customer", one).scope_id == Subject(ACME, "customer", other).scope_id
    assert same is (one == other)
    template = uuid7()
    assert (subjects.budget_of_each(template, one) == subjects.budget_of_each(template, other)) is (one == other)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1%eth0", "2001:db8:1:2::/64"),
    ],
)
def test_an_ipv6_client_is_its_network(text, who):
    assert subjects.address(text) == who


@pytest.mark.parametrize("text", ["", "nobody", "192.0.2.7/24", "192.0.2.07", "1.2.3", "2001:db8::/48"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the messages are those of the standard library
        subjects.address(text)


@pytest.mark.parametrize(("name", "good"), [("alice", True), ("Zoë 1", True), ("", False), ("a\x00", False)])
def test_names_are_printable(name, good):
    assert subjects.is_name(name) is good
    assert not subjects.is_name("a" * 129)
