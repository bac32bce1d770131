"""What is possible bounds what is likely, and both stay within model and caller."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inference.gateway.estimating import TEMPLATE_TOKENS, estimate

ORDINARY: dict[str, Any] = {
    "has_media": False,
    "choices": 1,
    "context_length": 8192,
    "max_output_tokens": 1024,
    "caller_max_output": None,
}


def test_the_bytes_of_a_body_bound_its_tokens():
    assert estimate(size=1000, wanted=10, **ORDINARY).most_input == 1000 + TEMPLATE_TOKENS
    assert estimate(size=100_000, wanted=10, **ORDINARY).most_input == 8192


def test_media_is_bounded_by_the_context_only():
    assert estimate(size=100, wanted=10, **(ORDINARY | {"has_media": True})).most_input == 8192


def test_without_max_tokens_the_strictest_cap_is_sent():
    assert estimate(size=100, wanted=None, **ORDINARY).max_tokens == 1024
    assert estimate(size=100, wanted=None, **(ORDINARY | {"caller_max_output": 50})).max_tokens == 50
    assert estimate(size=100, wanted=10**6, **ORDINARY).max_tokens == 1024


def test_what_was_learned_moves_what_is_likely_and_never_what_is_possible():
    before = estimate(size=1000, wanted=1024, **ORDINARY)
    after = estimate(size=1000, wanted=1024, learned_input=400, learned_output=20, **ORDINARY)
    assert (after.likely_input, after.likely_output) == (400, 20)
    assert (after.most_input, after.most_output, after.max_tokens) == (
        before.most_input,
        before.most_output,
        before.max_tokens,
    )


def test_a_modest_max_tokens_is_believed():
    assert estimate(size=100, wanted=30, learned_output=20, **ORDINARY).likely_output == 30
    assert estimate(size=100, wanted=41, learned_output=20, **ORDINARY).likely_output == 20
    assert estimate(size=100, wanted=None, learned_output=500, **ORDINARY).likely_output == 500


@given(
    size=st.integers(1, 10**7),
    wanted=st.none() | st.integers(1, 10**6),
    choices=st.integers(1, 8),
    context=st.integers(1, 10**6),
    most=st.integers(1, 10**6),
    cap=st.none() | st.integers(1, 10**6),
    media=st.booleans(),
    learned_input=st.none() | st.integers(1, 10**7),
    learned_output=st.none() | st.integers(1, 10**6),
)
def test_likely_never_exceeds_possible(size, wanted, choices, context, most, cap, media, learned_input, learned_output):
    bound = estimate(
        size=size,
        has_media=media,
        wanted=wanted,
        choices=choices,
        context_length=context,
        max_output_tokens=most,
        caller_max_output=cap,
        learned_input=learned_input,
        learned_output=learned_output,
    )
    unlearned = estimate(
        size=size,
        has_media=media,
        wanted=wanted,
        choices=choices,
        context_length=context,
        max_output_tokens=most,
        caller_max_output=cap,
    )
    assert bound.most_input == unlearned.most_input
    assert bound.most_output <= unlearned.most_output
    assert 1 <= bound.max_tokens <= min(most, cap or most)
    assert bound.most_output == bound.max_tokens * choices
    assert 0 < bound.likely_input <= bound.most_input
    assert 0 < bound.likely_output <= bound.most_output
