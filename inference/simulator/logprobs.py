"""Made-up probabilities in the shapes of the chat and the completions API."""

from typing import Any
from zlib import crc32

import orjson


def of_chat(words: list[bytes], top: int) -> dict[str, Any]:
    """Chat's: one entry for each token, with `top` alternatives."""
    return {"content": [{**_entry(token, 0), "top_logprobs": _tops(token, top)} for token in map(_plain, words)]}


def of_completion(words: list[bytes], top: int, offset: int = 0) -> dict[str, Any]:
    """Completions': four lists of one length."""
    tokens = [_plain(word) for word in words]
    offsets = [offset + sum(map(len, tokens[:at])) for at in range(len(tokens))]
    tops = [{one["token"]: one["logprob"] for one in _tops(token, top)} for token in tokens]
    return {
        "text_offset": offsets,
        "token_logprobs": [value(token) for token in tokens],
        "tokens": tokens,
        "top_logprobs": tops,
    }


def _plain(word: bytes) -> str:
    token: str = orjson.loads(b'"%s"' % word)
    return token


def _tops(token: str, top: int) -> list[dict[str, Any]]:
    return [_entry(token if not rank else f"{token}{rank}", rank) for rank in range(top)]


def _entry(token: str, rank: int) -> dict[str, Any]:
    return {"token": token, "logprob": value(token, rank), "bytes": list(token.encode())}


def value(token: str, rank: int = 0) -> float:
    """How likely a token was, as a logarithm."""
    return -(crc32(token.encode()) % 64) / 128 - rank
