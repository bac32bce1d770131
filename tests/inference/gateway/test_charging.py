"""Who pays: the table of the architecture, line by line."""

import pytest

from inference.gateway.charging import Ending, Source, consumption

FINAL = {"prompt_tokens": 12, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
ZERO = {"prompt_tokens": 0, "completion_tokens": 0}
NO_OUTPUT = {"prompt_tokens": 12, "completion_tokens": 0}

TABLE = [
    # how it ended, usage, final, outputs -> outcome, source, billable
    ("complete with final usage", Ending.COMPLETE, FINAL, True, 5, "complete", Source.FINAL, True),
    ("complete, only continuous usage", Ending.COMPLETE, FINAL, False, 5, "complete", Source.CONTINUOUS, True),
    ("complete, no usage at all", Ending.COMPLETE, None, False, 5, "complete", Source.LOCAL, True),
    ("complete, an explicit zero", Ending.COMPLETE, ZERO, True, 5, "complete", Source.FINAL, True),
    ("complete, but nothing came", Ending.COMPLETE, NO_OUTPUT, True, 0, "no_output", Source.FINAL, False),
    ("the client left after output", Ending.CLIENT_LEFT, FINAL, False, 3, "client_left", Source.CONTINUOUS, True),
    ("the client left, engine says nothing", Ending.CLIENT_LEFT, None, False, 3, "client_left", Source.LOCAL, True),
    ("the client left before output", Ending.CLIENT_LEFT, NO_OUTPUT, False, 0, "no_output", Source.CONTINUOUS, False),
    ("the client left at once", Ending.CLIENT_LEFT, None, False, 0, "no_output", Source.NONE, False),
    ("the engine broke", Ending.UPSTREAM_ERROR, FINAL, False, 3, "upstream_error", Source.CONTINUOUS, False),
    ("the engine took too long", Ending.TIMEOUT, FINAL, False, 3, "timeout", Source.CONTINUOUS, False),
    ("drained", Ending.DRAINED, FINAL, False, 3, "drained", Source.CONTINUOUS, False),
    ("usage is garbage", Ending.COMPLETE, {"prompt_tokens": -1}, True, 3, "complete", Source.LOCAL, True),
    ("usage is true", Ending.COMPLETE, {"prompt_tokens": True}, True, 3, "complete", Source.LOCAL, True),
    ("usage is beyond belief", Ending.COMPLETE, {"prompt_tokens": 2**60}, True, 3, "complete", Source.LOCAL, True),
]


@pytest.mark.parametrize(
    ("ending", "usage", "final", "outputs", "outcome", "source", "billable"),
    [line[1:] for line in TABLE],
    ids=[line[0] for line in TABLE],
)
def test_the_table(ending, usage, final, outputs, outcome, source, billable):
    used = consumption(ending, usage, final=final, outputs=outputs, likely_prompt=9)
    assert (used.outcome, used.source, used.billable) == (outcome, source, billable)


@pytest.mark.parametrize(
    ("ending", "outputs", "outcome", "billable"),
    [
        (Ending.COMPLETE, 0, "complete", True),
        (Ending.CLIENT_LEFT, 0, "no_output", False),
        (Ending.CLIENT_LEFT, 2, "client_left", True),
        (Ending.UPSTREAM_ERROR, 2, "upstream_error", False),
    ],
)
def test_what_is_no_text_is_paid_for_as_soon_as_a_piece_of_it_came(ending, outputs, outcome, billable):
    used = consumption(ending, None, final=False, outputs=outputs, likely_prompt=9, generates=False)
    assert (used.outcome, used.billable, used.tokens.completion) == (outcome, billable, 0)


def test_the_tokens_are_the_engines():
    used = consumption(Ending.COMPLETE, FINAL, final=True, outputs=99, likely_prompt=9)
    assert (used.tokens.prompt, used.tokens.cached, used.tokens.completion) == (12, 4, 5)


def test_without_the_engines_usage_our_own_count_stands():
    used = consumption(Ending.COMPLETE, None, final=False, outputs=7, likely_prompt=9)
    assert (used.tokens.prompt, used.tokens.completion) == (9, 7)


def test_cached_tokens_are_never_more_than_the_prompt():
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 50}}
    assert consumption(Ending.COMPLETE, usage, final=True, outputs=1, likely_prompt=1).tokens.cached == 3
