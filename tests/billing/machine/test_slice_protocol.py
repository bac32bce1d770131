"""Every state that slices can come to, whatever dies, is lost or comes late."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.billing.machine import slice_protocol
from tests.billing.machine.explorer import Explorer, Found, Protocol
from tests.billing.machine.slice_protocol import Rules

# Each rule that is broken on purpose, and what the explorer must find then.
BUGS = {
    "a_slice_is_held": "what is held is not the holds",
    "memory_subtracts": "a slice holds more than it has",
    "memory_ends_before_the_lease": "held in a slice that is gone",
    "settle_takes_from_the_slice": "what is held is not the holds",
    "settle_once": "charged twice",
    "a_duplicate_is_a_doubt": "a slice holds more than it has",
    "settle_without_a_slice_charges": "an end marker without a charge",
    "void_asks_what_it_found": "a slice holds more than it has",
    "enter_never_after_the_end": "held after its end",
    "enter_needs_its_slice": "a request without its slice",
    "giving_back_subtracts_first": "a slice holds more than it has",
    "giving_back_reaches_the_purse": "what is held is not the holds",
    "reaper_takes_the_requests_of_a_slice": "a request without its slice",
    "reaper_asks_again": "reaped a slice that was renewed",
    "reaper_runs": "a hold never ends",
    "end_marker_waits_for_settlement": "an end marker without a charge",
}


def explore(rules: Rules) -> Found:
    slices = Protocol(
        slice_protocol.State(),
        lambda state: slice_protocol.steps(state, rules),
        slice_protocol.canonical,
        slice_protocol.what_is_wrong,
        slice_protocol.is_at_rest,
    )
    return Explorer(slices).run()


def test_in_no_state_is_anything_wrong_and_every_slice_ends():
    found = explore(Rules())
    assert (found.wrong, found.way) == ("", ())
    assert found.states > 10_000


@pytest.mark.parametrize(("rule", "wrong"), BUGS.items(), ids=BUGS)
def test_a_broken_rule_is_found(rule, wrong):
    found = explore(Rules(**{rule: False}))
    assert found.wrong == wrong, found.way
    assert found.way


def test_every_rule_has_its_bug():
    assert {field.name for field in fields(Rules)} == BUGS.keys()
