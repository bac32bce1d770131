"""The snippet of docs/receipts.md checks receipts, and its example is one."""

import json

import pytest
from cryptography.exceptions import InvalidSignature

from billing import receipts
from foundation.signing import Signer
from tests.billing.test_receipts import facts, receipt
from tests.docs import pages

SIGNER = Signer("s" * 40, [], receipts.PURPOSE)


@pytest.fixture(scope="module")
def snippet() -> dict:
    """What the page defines."""
    (body,) = [body for path, body in pages.snippets("python") if path.name == "receipts.md"]
    defined: dict = {}
    exec(body, defined)
    return defined


@pytest.fixture(scope="module")
def example() -> dict:
    (body,) = [body for path, body in pages.snippets("json") if path.name == "receipts.md"]
    return json.loads(body)


def test_the_snippet_takes_what_we_sign(snippet):
    made = receipt(facts({"input": "1", "output": "2"}, cost_nusd=16_000))
    found = snippet["verify"](SIGNER.sign(made), SIGNER.keys)
    assert found == made
    assert snippet["adds_up"](found)


def test_the_snippet_refuses_a_changed_receipt(snippet):
    head, _, signature = SIGNER.sign({"charge_nano_usd": 5}).split(".")
    cheaper = SIGNER.sign({"charge_nano_usd": 4}).split(".")[1]
    with pytest.raises(InvalidSignature):
        snippet["verify"](f"{head}.{cheaper}.{signature}", SIGNER.keys)


def test_the_snippet_finds_a_wrong_sum(snippet, example):
    assert snippet["adds_up"](example["receipt"])
    assert not snippet["adds_up"](example["receipt"] | {"charge_nano_usd": 5501})


def test_the_example_has_every_field(example):
    made = receipt(facts({"input": "1"}))
    assert list(example["receipt"]) == list(made)
    assert list(example["receipt"]["timing"]) == list(made["timing"])
    assert list(example) == list(receipts.envelope("", receipts.Finding(None, in_progress=True), None))
