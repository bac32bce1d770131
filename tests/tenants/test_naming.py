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


@pytest.mark.parametrize(
    "text", ["*", "https://a.test", "http://localhost:3000", "https://[2001:db8::1]:8443", "tauri://localhost"]
)
def test_an_origin_is_written_as_browsers_write_it(text):
    assert naming.origins([f" {text} "]) == [text]


@pytest.mark.parametrize(
    "text",
    [
        *("", "a.test", "https://", "https://a.test/", "https://a.test:443", "http://a.test:80", "https://*.a.test"),
        *("null", "https://u@a.test", "https://a.test:0", "https://a.test:123456", "https://a.test?x"),
        "https://a.test\r\nx: y",
    ],
)
def test_anything_else_is_no_origin(text):
    with pytest.raises(InvalidName) as caught:
        naming.origins([text])
    assert caught.value.param == "allowed_origins"


def test_origins_are_not_endless():
    with pytest.raises(InvalidName):
        naming.origins(f"https://{number}.test" for number in range(101))
