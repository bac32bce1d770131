"""What a key looks like."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import formats

KINDS = [("inference", "live", "tpk_live_"), ("inference", "test", "tpk_test_")]
KINDS += [("management", "live", "tpm_live_"), ("management", "test", "tpm_test_")]

minted = st.builds(formats.mint, st.sampled_from(["inference", "management"]), st.sampled_from(["live", "test"]))


@pytest.mark.parametrize(("kind", "mode", "prefix"), KINDS)
def test_a_key_is_a_prefix_thirty_random_characters_and_a_checksum(kind, mode, prefix):
    secret = formats.mint(kind, mode)
    assert re.fullmatch(prefix + "[0-9A-Za-z]{36}", secret)
    assert len(secret) == formats.LENGTH == 45
    assert formats.kind_of(secret) == kind


def test_the_checksum_is_the_crc_32_of_all_before_it_in_base_62():
    body = "tpk_live_" + "0" * 30
    number = 0
    for digit in formats.checksum(body):
        number = number * 62 + formats.ALPHABET.index(digit)
    assert number == zlib.crc32(body.encode())


def test_no_two_keys_are_alike():
    assert len({formats.mint("inference", "live") for _ in range(1000)}) == 1000


@given(minted)
def test_what_is_minted_looks_valid(secret):
    assert formats.looks_valid(secret)


@given(minted, st.data())
def test_any_one_character_changed_shows(secret, data):
    place = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.sampled_from(formats.ALPHABET + "_-").filter(lambda letter: letter != secret[place]))
    assert not formats.looks_valid(secret[:place] + other + secret[place + 1 :])


@given(minted, st.integers(0, 43))
def test_two_neighbours_swapped_show(secret, place):
    swapped = secret[:place] + secret[place + 1] + secret[place] + secret[place + 2 :]
    assert formats.looks_valid(swapped) is (swapped == secret)


@given(minted, st.integers(0, 44))
def test_a_cut_shows(secret, length):
    assert not formats.looks_valid(secret[:length])


@given(st.text())
def test_other_text_is_no_key_and_no_error(text):
    assert not formats.looks_valid(text)
    formats.kind_of(text)


@pytest.mark.parametrize("ending", ["\n", " ", "\0", "x"])
def test_nothing_may_follow(ending):
    assert not formats.looks_valid(formats.mint("inference", "live") + ending)


def test_a_key_of_another_kind_is_not_made_by_changing_the_prefix():
    assert not formats.looks_valid(formats.mint("inference", "live").replace("tpk_", "tpm_"))


@given(minted)
def test_what_is_shown_is_the_start_and_the_end(secret):
    shown = formats.display(secret)
    assert shown == secret[:13] + "…" + secret[-4:]
    assert len(shown) <= 32
