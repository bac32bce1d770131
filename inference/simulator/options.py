"""What one simulated engine is told at its start."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a simulated engine; the names follow vLLM's own flags where it has them."""

    model: str = "sim"
    """The name it serves under."""
    max_num_seqs: int = 1024
    """How many requests run at once; the others wait in order of arrival."""
    max_model_len: int = 32_768
    """Prompt and completion together, in tokens."""
    engine: str = "vllm"
    """Which engine it is on the wire; see `personalities.py`."""
    api_key: str | None = None
    """Guards what the engine guards with one; in vLLM the paths below /v1, and nothing else."""
    speed: float = 1.0
    """Divides every delay of the latency model; `inf` answers at once. Delays named by a directive are not touched."""
