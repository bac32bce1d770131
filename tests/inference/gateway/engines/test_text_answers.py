"""A text that ends an answer never is a part of it, wherever the pieces were cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.gateway.translation.text_answers import Tail

LETTERS = st.text("ab<|>", max_size=30)


@given(text=LETTERS, stops=st.lists(st.text("ab<|>", min_size=1, max_size=4), max_size=3), cuts=st.data())
def test_a_text_is_cut_at_the_first_stop_however_it_comes(text, stops, cuts):
    tail, told, rest = Tail(stops), "", text
    while rest:
        size = cuts.draw(st.integers(1, len(rest)))
        told, rest = told + tail.take(rest[:size]), rest[size:]
    told += tail.rest()
    found = [at for at in map(text.find, stops) if at >= 0]
    if len(stops) <= 1:
        assert told == (text[: min(found)] if found else text)
    assert text.startswith(told)
    assert not any(stop in told for stop in stops)


def test_what_may_be_a_stop_waits_and_goes_on_when_it_is_none():
    tail = Tail(["<|end|>"])
    assert [tail.take("Hi<|e"), tail.take("x"), tail.take("<|end|>more"), tail.take("!"), tail.rest()] == [
        "Hi",
        "<|ex",
        "",
        "",
        "",
    ]
