"""What was used teaches what is likely: recent, bounded, one key's answers apart from another's."""

from hypothesis import given
from hypothesis import strategies as st

from foundation.ids import uuid7
from inference.gateway.learning import FEWEST_OUTPUTS, MOST_PAIRS, RECENT_INPUTS, RECENT_OUTPUTS, Experience

ACME, GLOBEX = uuid7(), uuid7()


def test_before_anything_is_known_a_token_has_four_bytes():
    assert Experience().likely_input("sim", 400) == 101


def test_a_models_own_ratio_is_learned_and_forgotten_again():
    seen = Experience()
    for _ in range(RECENT_INPUTS):
        seen.note_input("sim", 2000, 1000)
    assert seen.likely_input("sim", 2000) == 1001
    assert seen.likely_input("other", 2000) == 501
    for _ in range(RECENT_INPUTS):
        seen.note_input("sim", 8000, 1000)
    assert seen.likely_input("sim", 8000) == 1001


def test_one_answer_says_nothing_yet():
    seen = Experience()
    for _ in range(FEWEST_OUTPUTS - 1):
        seen.note_output(ACME, "sim", 5)
    assert seen.likely_output(ACME, "sim") is None
    seen.note_output(ACME, "sim", 5)
    assert seen.likely_output(ACME, "sim") == 5


def test_keys_and_models_are_known_apart():
    seen = Experience()
    for _ in range(10):
        seen.note_output(ACME, "sim", 5)
    assert seen.likely_output(GLOBEX, "sim") is None
    assert seen.likely_output(ACME, "other") is None


@given(st.lists(st.integers(1, 10**6), min_size=FEWEST_OUTPUTS, max_size=200))
def test_nineteen_of_twenty_recent_answers_were_no_longer(tokens):
    seen = Experience()
    for count in tokens:
        seen.note_output(ACME, "sim", count)
    recent = tokens[-RECENT_OUTPUTS:]
    likely = seen.likely_output(ACME, "sim")
    assert likely in recent
    assert sum(count <= likely for count in recent) * 20 >= len(recent) * 19
    assert sum(count < likely for count in recent) * 20 < len(recent) * 19


def test_what_is_known_has_a_bound():
    seen = Experience()
    for _ in range(MOST_PAIRS + 10):
        seen.note_output(uuid7(), "sim", 5)
    assert len(seen._outputs) == MOST_PAIRS
