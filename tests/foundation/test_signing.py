"""What is signed can be checked with the published keys alone, by anybody's library."""

import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from foundation import signing
from foundation.signing import Signer

OLD, NEW = Signer("o" * 40, [], "tests"), "n" * 40


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(jws: str, keys) -> dict:
    head, payload, signature = jws.split(".")
    kid = json.loads(decoded(head))["kid"]
    key = next(key for key in keys["keys"] if key["kid"] == kid)
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    public.verify(decoded(signature), f"{head}.{payload}".encode())
    return json.loads(decoded(payload))


def test_a_document_comes_back_with_the_published_keys():
    document = {"b": [1, None, "é"], "a": {"n": 2**53 - 1}}
    assert verify(OLD.sign(document), OLD.keys) == document


def test_a_changed_document_is_found_out():
    head, payload, signature = OLD.sign({"charge": 1}).split(".")
    other = OLD.sign({"charge": 2}).split(".")[1]
    with pytest.raises(InvalidSignature):
        verify(f"{head}.{other}.{signature}", OLD.keys)
    assert other != payload


def test_after_a_rotation_old_signatures_still_check():
    old = OLD.sign({"charge": 1})
    new = Signer(NEW, [OLD.keys["keys"][0]["x"]], "tests")
    assert verify(old, new.keys) == {"charge": 1}
    assert [key["kid"] for key in new.keys["keys"]][1:] == [OLD.keys["keys"][0]["kid"]]
    assert verify(new.sign({"charge": 2}), new.keys) == {"charge": 2}


def test_a_keys_id_is_its_thumbprint():
    """The example of RFC 8037, A.3."""
    jwk = signing._as_jwk("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert jwk["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_only_public_halves_are_published():
    assert {name for key in OLD.keys["keys"] for name in key} == {"kty", "crv", "x", "kid", "alg", "use"}
    assert "o" * 40 not in repr(OLD)


@pytest.mark.parametrize("x", ["", "AAAA", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "é" * 43])
def test_what_is_no_public_key_is_refused(x):
    with pytest.raises(ValueError, match=r".+"):
        Signer(NEW, [x], "tests")
