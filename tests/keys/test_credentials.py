"""Finding the one credential of a request."""

import pytest

from keys import credentials
from keys.errors import ConflictingCredentials, InvalidApiKey

KEY = "tpk_live_abc"


@pytest.mark.parametrize(
    "header",
    [
        (b"authorization", b"Bearer tpk_live_abc"),
        (b"authorization", b"bearer tpk_live_abc"),
        (b"authorization", b"BEARER  tpk_live_abc "),
        (b"x-api-key", b"tpk_live_abc"),
        (b"api-key", b" tpk_live_abc"),
    ],
)
def test_a_key_comes_in_any_of_three_headers(header):
    assert credentials.resolve([(b"host", b"example.com"), header]) == KEY


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"example.com")],
        [(b"authorization", b"Basic dXNlcjpwYXNz")],
        [(b"authorization", b"tpk_live_abc")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer ")],
        [(b"x-api-key", b"")],
        [(b"cookie", b"api-key=tpk_live_abc")],
        [(b"x-api-key", b"tpk_live_\xc3\xa4")],
        [(b"x-api-key", b"\xff\xfe")],
    ],
)
def test_anything_else_is_no_key(headers):
    with pytest.raises(InvalidApiKey):
        credentials.resolve(headers)


@pytest.mark.parametrize("first", [b"authorization", b"x-api-key", b"api-key"])
@pytest.mark.parametrize("second", [b"authorization", b"x-api-key", b"api-key"])
@pytest.mark.parametrize("key", [b"Bearer tpk_live_abc", b"Bearer another"])
def test_two_credentials_are_refused_even_if_they_are_equal(first, second, key):
    with pytest.raises(ConflictingCredentials) as caught:
        credentials.resolve([(first, b"Bearer tpk_live_abc"), (second, key)])
    assert (caught.value.status, caught.value.code) == (400, "invalid_request")
