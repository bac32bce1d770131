"""What the load consists of: chat completions of the simulator, whose directives say how long the answers are."""

import json
from dataclasses import dataclass

from config.local import ports
from config.local.engines import SIMULATED_MODEL

PATH = "/v1/chat/completions"
# About the size of a short question with its instructions: 100 tokens.
_PROMPT = (
    "You are helpful and brief. Explain to a curious reader who is not an engineer how a bridge toll is collected, who "
    "decides what it costs, and what happens to the money afterwards. Use plain words, no lists, and give one example "
    "from everyday life. If you are not sure about something, say so instead of guessing, and keep to five sentences. "
    "The reader has two minutes, knows what a car is, and has never thought about who pays for a road."
)


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who answers chat completions on the loopback address, and the key he wants to see."""

    port: int
    key: str

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}{PATH}"

    @property
    def authorization(self) -> str:
        return f"Bearer {self.key}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine shall answer: so many tokens, the next one `gap_ms` after the one before."""

    tokens: int
    gap_ms: float
    stream: bool

    def body(self) -> str:
        """Return the body of the request that gets this answer."""
        directive = f"[[sim tokens={self.tokens} ttft=0 gap={self.gap_ms:g}]]"
        asked = {
            "model": SIMULATED_MODEL,
            "messages": [{"role": "user", "content": f"{_PROMPT} {directive}"}],
            "max_tokens": self.tokens,
            **({"stream": True} if self.stream else {}),
        }
        return json.dumps(asked)


def whole(target: Target, answer: Answer) -> bytes:
    """Return a request with its head, as it goes to the wire."""
    body = answer.body().encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: {ports.HOST}:{target.port}\r\nauthorization: {target.authorization}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
