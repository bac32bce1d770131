"""How much a request may use: what is possible (for money) and what is likely (for throttling). In tokens.

What is possible never depends on what was seen before: a hold is a promise. What is likely is learned (learning.py),
and wrong at most until the request has ended.
"""

from __future__ import annotations

from typing import NamedTuple

# A chat template adds its own text: a default system prompt, markers around messages. More than the largest seen.
TEMPLATE_TOKENS = 256
# English text and JSON come out at about four bytes a token.
LIKELY_BYTES_PER_TOKEN = 4
# What an answer without `max_tokens` is expected to have, for throttling only, before such answers are known.
LIKELY_OUTPUT = 256
# Agents ask for as much as they can get. From so many times what answers had on, `max_tokens` says nothing of the next.
FAR = 2


class Estimate(NamedTuple):
    """Tokens. `most_*` bound the use from above; `likely_*` is what rate limits reserve until the truth is known."""

    most_input: int
    most_output: int
    max_tokens: int
    likely_input: int
    likely_output: int


def estimate(
    *,
    size: int,
    has_media: bool,
    wanted: int | None,
    choices: int,
    inputs: int = 1,
    context_length: int,
    max_output_tokens: int,
    caller_max_output: int | None,
    learned_input: int | None = None,
    learned_output: int | None = None,
) -> Estimate:
    """Bound one request of `size` body bytes that wants at most `wanted` tokens in each of `choices` answers.

    Each of `inputs` is read by itself, with the whole context; without `choices` there is no output.

    `learned_input` is what bodies of this size come out at, `learned_output` how long such answers are.

    A token of a byte-level vocabulary is at least one byte, and JSON never writes text in fewer bytes than UTF-8, so
    the body's bytes bound the input. Media is not bounded by its bytes (a short link is a large picture): there, as
    for long texts, the context length is the bound, because engines refuse more.
    """
    contexts = context_length * inputs
    most_input = contexts if has_media else min(size + TEMPLATE_TOKENS, contexts)
    written = size // LIKELY_BYTES_PER_TOKEN + 1
    likely_input = min(learned_input or written, most_input)
    ceiling = max_output_tokens if caller_max_output is None else min(max_output_tokens, caller_max_output)
    # An engine refuses what does not fit its context: of two guesses at the input the larger one leaves room for it.
    room = max(1, context_length - max(written, likely_input) - TEMPLATE_TOKENS)
    max_tokens = min(wanted or room, ceiling)
    likely_output = max_tokens if wanted else min(max_tokens, LIKELY_OUTPUT)
    if learned_output is not None and (wanted is None or max_tokens > FAR * learned_output):
        likely_output = min(max_tokens, max(1, learned_output))
    return Estimate(most_input, max_tokens * choices, max_tokens, likely_input, likely_output * choices)
