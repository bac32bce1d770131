"""What requests of this process really used: how many bytes a token has, and how long answers are.

Only throttling reserves by this, and reservations are set to the truth when a request ends; money is held for what is
possible (estimating.py). So each process learns alone, and forgets as it goes: only the last requests count.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from uuid import UUID

# English text and JSON come out at about four bytes a token: this much is believed of a model before it is known.
BYTES_AT_FIRST, TOKENS_AT_FIRST = 4096, 1024
RECENT_INPUTS = 256
RECENT_OUTPUTS = 64
# So few answers say nothing of the next one yet.
FEWEST_OUTPUTS = 3
MOST_MODELS = 1_000
MOST_PAIRS = 4_096


@dataclass(slots=True)
class _Inputs:
    size: int = BYTES_AT_FIRST
    tokens: int = TOKENS_AT_FIRST
    recent: deque[tuple[int, int]] = field(
        default_factory=lambda: deque([(BYTES_AT_FIRST, TOKENS_AT_FIRST)], maxlen=RECENT_INPUTS)
    )

    def add(self, size: int, tokens: int) -> None:
        if len(self.recent) == RECENT_INPUTS:
            old_size, old_tokens = self.recent.popleft()
            self.size -= old_size
            self.tokens -= old_tokens
        self.recent.append((size, tokens))
        self.size += size
        self.tokens += tokens


@dataclass(slots=True)
class _Outputs:
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_OUTPUTS))
    likely: int | None = None

    def add(self, tokens: int) -> None:
        self.recent.append(tokens)
        self.likely = None

    def p95(self) -> int | None:
        if len(self.recent) < FEWEST_OUTPUTS:
            return None
        if self.likely is None:
            ranked = sorted(self.recent)
            self.likely = ranked[-(-len(ranked) * 95 // 100) - 1]
        return self.likely


class Experience:
    """Of each model how its input is written, of each key and model how long its answers are. Bounded."""

    def __init__(self) -> None:
        self._inputs: OrderedDict[str, _Inputs] = OrderedDict()
        self._outputs: OrderedDict[tuple[UUID, str], _Outputs] = OrderedDict()

    def likely_input(self, model: str, size: int) -> int:
        """Return how many tokens a body of `size` bytes comes out at."""
        known = self._inputs.get(model)
        if known is None:
            return size * TOKENS_AT_FIRST // BYTES_AT_FIRST + 1
        return size * known.tokens // known.size + 1

    def likely_output(self, key_id: UUID, model: str) -> int | None:
        """Return the 95th percentile of one answer's tokens; None while too little is known."""
        known = self._outputs.get((key_id, model))
        return None if known is None else known.p95()

    def note_input(self, model: str, size: int, tokens: int) -> None:
        """Learn from an engine's count of a body of `size` bytes without media."""
        known = self._inputs.get(model)
        if known is None:
            known = self._inputs[model] = _Inputs()
            if len(self._inputs) > MOST_MODELS:
                self._inputs.popitem(last=False)
        known.add(size, tokens)

    def note_output(self, key_id: UUID, model: str, tokens: int) -> None:
        """Learn from an answer that came to its end."""
        pair = (key_id, model)
        known = self._outputs.get(pair)
        if known is None:
            known = self._outputs[pair] = _Outputs()
            if len(self._outputs) > MOST_PAIRS:
                self._outputs.popitem(last=False)
        self._outputs.move_to_end(pair)
        known.add(tokens)
