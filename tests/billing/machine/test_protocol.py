"""Every state that hold, settle, void, extend and reap can come to, whatever dies, is lost or comes twice."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.billing.machine.explorer import explore
from tests.billing.machine.protocol import Rules
from tests.billing.machine.state import CREDIT, WORST

# Each rule that is broken on purpose, and what the explorer must find then.
BUGS = {
    "hold_counts_what_is_held": "overspent",
    "hold_once": "what is held is not the holds",
    "hold_never_after_the_end": "held after its end",
    "settle_once": "charged twice",
    "settle_releases": "held after its end",
    "settle_without_a_hold_charges": "an end marker without a charge",
    "void_releases_only_what_is_held": "what is held is not the holds",
    "extend_only_what_is_held": "what is held is not the holds",
    "reaper_runs": "a hold never ends",
    "reaper_releases": "what is held is not the holds",
    "reaper_asks_again": "reaped a hold that was extended",
    "end_marker_waits_for_settlement": "an end marker without a charge",
    "a_lost_answer_is_asked_again": "an end marker without a charge",
}
# To take the same hold twice there must be room for it.
CREDITS = {"hold_once": 2 * WORST}


def test_in_no_state_is_anything_wrong_and_every_hold_ends(record_property):
    found = explore(Rules())
    record_property("states", found.states)
    print(f"{found.states} states")  # noqa: T201 - a proof by exploration is worth what it explored
    assert (found.wrong, found.way) == ("", ())
    assert found.states > 50_000


@pytest.mark.parametrize(("rule", "wrong"), BUGS.items(), ids=BUGS)
def test_a_broken_rule_is_found(rule, wrong):
    found = explore(Rules(**{rule: False}), CREDITS.get(rule, CREDIT))
    assert found.wrong == wrong, found.way
    assert found.way


def test_every_rule_has_its_bug():
    assert {field.name for field in fields(Rules)} == BUGS.keys()
