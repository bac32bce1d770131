"""How long a simulated engine takes: prefill grows with the prompt, decoding slows down as the batch grows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Times in seconds, of the order of a model with eight billion weights on one data-centre card."""

    speed: float = 1.0
    prefill_base: float = 0.020
    prefill_per_token: float = 1 / 16_000
    decode_base: float = 0.008
    decode_per_running: float = 0.000_06

    def ttft(self, uncached_tokens: int) -> float:
        """From the start of the prefill to the first token, with prefix-cached tokens for free."""
        return (self.prefill_base + uncached_tokens * self.prefill_per_token) / self.speed

    def gap(self, running: int) -> float:
        """Between two tokens of one request while `running` requests share the batch."""
        return (self.decode_base + running * self.decode_per_running) / self.speed
