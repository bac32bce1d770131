"""What is sealed opens in its place with its key, and nowhere and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.sealing import CannotOpen, Keyring

OLD, NEW = "o" * 40, "n" * 40
ring = Keyring([OLD], "tests")


@given(secret=st.text(), place=st.text())
def test_what_is_sealed_opens_in_its_place(secret, place):
    assert ring.open(ring.seal(secret, place), place) == secret


@given(secret=st.text(), place=st.text(), other=st.text())
def test_moved_to_another_place_it_does_not_open(secret, place, other):
    sealed = ring.seal(secret, place)
    if place != other:
        with pytest.raises(CannotOpen):
            ring.open(sealed, other)


@given(position=st.integers(0), letter=st.sampled_from("AZaz09-_.=é"))
def test_changed_by_one_letter_it_does_not_open(position, letter):
    sealed = ring.seal("sk-secret-abcd", "pool:1")
    position %= len(sealed) - 1  # The last letter of base64 has bits that mean nothing.
    changed = sealed[:position] + letter + sealed[position + 1 :]
    if changed != sealed:
        with pytest.raises(CannotOpen):
            ring.open(changed, "pool:1")


@pytest.mark.parametrize("sealed", ["", "v1", "v1..", "v2.x.y", "sk-plain", "v1." + "0" * 12 + ".AAAA"])
def test_what_was_never_sealed_does_not_open(sealed):
    with pytest.raises(CannotOpen):
        ring.open(sealed, "pool:1")


def test_the_first_key_seals_and_all_open():
    both = Keyring([NEW, OLD], "tests")
    old = ring.seal("secret", "p")
    assert both.open(old, "p") == "secret"
    assert not both.is_current(old)
    new = both.seal("secret", "p")
    assert both.is_current(new)
    with pytest.raises(CannotOpen):
        ring.open(new, "p")


def test_the_same_secret_is_another_key_for_another_purpose():
    with pytest.raises(CannotOpen):
        Keyring([OLD], "something else").open(ring.seal("secret", "p"), "p")


def test_two_seals_of_one_secret_have_nothing_in_common():
    assert ring.seal("secret", "p") != ring.seal("secret", "p")


def test_nothing_is_sealed_without_a_key():
    assert not Keyring([], "tests")
    with pytest.raises(LookupError):
        Keyring([], "tests").seal("secret", "p")


def test_no_key_shows():
    assert OLD not in repr(ring)
    with pytest.raises(CannotOpen) as caught:
        ring.open(ring.seal("sk-secret", "p"), "q")
    assert "sk-secret" not in repr(caught.value)
    assert caught.value.__cause__ is None
