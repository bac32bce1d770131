"""Sound to send."""

from inference.simulator import sounds


def recording(seconds: float) -> bytes:
    """Silence as a WAV file."""
    samples = int(sounds.RATE * seconds)
    return sounds.header(samples) + bytes(2 * samples)
