"""How much a request may use: what is possible (for money) and what is likely (for throttling). In tokens."""

from __future__ import annotations

from dataclasses import dataclass

# A chat template adds its own text: a default system prompt, markers around messages. More than the largest seen.
TEMPLATE_TOKENS = 256
# English text and JSON come out at about four bytes a token.
LIKELY_BYTES_PER_TOKEN = 4
# What an answer without `max_tokens` is expected to have, for throttling only.
LIKELY_OUTPUT = 256


@dataclass(frozen=True, slots=True)
class Estimate:
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
    context_length: int,
    max_output_tokens: int,
    caller_max_output: int | None,
) -> Estimate:
    """Bound one request of `size` body bytes that wants at most `wanted` tokens in each of `choices` answers.

    A token of a byte-level vocabulary is at least one byte, and JSON never writes text in fewer bytes than UTF-8, so
    the body's bytes bound the input. Media is not bounded by its bytes (a short link is a large picture): there, as
    for long texts, the context length is the bound, because engines refuse more.
    """
    most_input = context_length if has_media else min(size + TEMPLATE_TOKENS, context_length)
    likely_input = min(size // LIKELY_BYTES_PER_TOKEN + 1, context_length)
    ceiling = max_output_tokens if caller_max_output is None else min(max_output_tokens, caller_max_output)
    max_tokens = min(wanted or max(1, context_length - likely_input - TEMPLATE_TOKENS), ceiling)
    likely_output = max_tokens if wanted else min(max_tokens, LIKELY_OUTPUT)
    return Estimate(most_input, max_tokens * choices, max_tokens, likely_input, likely_output * choices)
