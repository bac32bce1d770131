"""What names may be."""

import pytest

from tenants import naming
from tenants.errors import InvalidName


def test_a_name_loses_the_blanks_around_it():
    assert naming.name("  Acme & Söhne ") == "Acme & Söhne"


@pytest.mark.parametrize("text", ["", "   ", "a" * 201, "two\nlines", "nul\0", "\u202eright to left"])
def test_a_name_is_plain_text_of_reasonable_length(text):
    with pytest.raises(InvalidName):
        naming.name(text)


@pytest.mark.parametrize("text", ["a", "acme", "acme-2", "0", "a" * 63])
def test_a_slug_is_lower_case_words(text):
    assert naming.slug(text) == text


@pytest.mark.parametrize("text", ["", "Acme", "a_b", "-a", "a-", "a--b", "a b", "acme\n", "ä", "a" * 64])
def test_anything_else_is_no_slug(text):
    with pytest.raises(InvalidName):
        naming.slug(text)


def test_a_time_zone_has_an_iana_name():
    assert naming.time_zone("Europe/Berlin") == "Europe/Berlin"


@pytest.mark.parametrize("text", ["", "CEST", "Europe/berlin", "../../etc/passwd", "+02:00"])
def test_anything_else_is_no_time_zone(text):
    with pytest.raises(InvalidName):
        naming.time_zone(text)
