"""What is stored of a key."""

import hashlib
import hmac

from keys import digests


def test_a_digest_is_hmac_sha256_under_the_pepper():
    expected = hmac.new(b"pepper", b"tpk_live_abc", hashlib.sha256).digest()
    assert digests.digest("tpk_live_abc", b"pepper") == expected


def test_another_pepper_makes_another_digest():
    assert digests.digest("tpk_live_abc", b"pepper") != digests.digest("tpk_live_abc", b"salt")


def test_text_that_is_no_unicode_has_a_digest_too():
    assert len(digests.digest("\ud800", b"pepper")) == 32
