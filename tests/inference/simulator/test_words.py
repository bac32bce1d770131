import itertools

import orjson
from hypothesis import given
from hypothesis import strategies as st

from inference.simulator import words

seeds = st.integers(0, 10_000)


@given(seeds, st.lists(st.integers(0, 200), max_size=6))
def test_a_text_is_the_same_however_it_is_cut_into_runs_of_tokens(seed, cuts):
    bounds = [0, *sorted(cuts), 200]
    runs = [words.tokens(seed, start, stop) for start, stop in itertools.pairwise(bounds)]
    assert [word for run in runs for word in run] == words.tokens(seed, 0, 200)


@given(seeds, st.integers(0, 300))
def test_a_text_has_as_many_words_as_it_has_tokens(seed, count):
    text = words.text(seed, count)
    assert len(text.split(" ")) == count if count else text == ""


def test_a_text_begins_without_a_space_and_goes_on_with_one():
    first, second = words.tokens(0, 0, 2)
    assert (first, second) == (b"the", b" road")


def test_the_vocabulary_holds_what_json_must_escape_and_what_takes_several_bytes():
    escaped = b"".join(words.tokens(0, 0, 80))
    assert b"\\n" in escaped
    assert b'\\"' in escaped
    assert "🙂".encode() in escaped
    assert orjson.loads(b'"%s"' % escaped) == words.text(0, 80)


def test_different_prompts_begin_at_different_words():
    assert len({words.seed_of(f"prompt {number}".encode()) for number in range(200)}) > 20
