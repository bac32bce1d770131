"""`POST /tokenize` and `/detokenize` as vLLM serves them. A token is four bytes, and its id is these bytes as a number.

The count is the one that usage names; what messages, tools and images cost on top of text are ids that have no text.
"""

from typing import Any

import orjson

from inference.simulator import bodies, fields, jobs, prompts
from inference.simulator.bodies import Body, Tokens
from inference.simulator.dialects import Answer, Dialect
from inference.simulator.jobs import Job
from inference.simulator.options import Options
from inference.simulator.prefix_cache import BYTES_PER_TOKEN
from inference.simulator.prompts import Prompt
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused
from inference.simulator.scripts import escaped


def encoded(text: bytes) -> list[int]:
    """The ids of a text: each holds up to four bytes, and above them how many."""
    groups = [text[start : start + BYTES_PER_TOKEN] for start in range(0, len(text), BYTES_PER_TOKEN)]
    return [len(group) << 32 | int.from_bytes(group) for group in groups]


def decoded(ids: list[int]) -> bytes:
    """The text of ids; what no text was encoded to is skipped."""
    sizes = [(number >> 32, number & 0xFFFFFFFF) for number in ids]
    known = [(size, value) for size, value in sizes if 1 <= size <= BYTES_PER_TOKEN and value < 1 << 8 * size]
    return b"".join(value.to_bytes(size) for size, value in known)


class Tokenize(Dialect):
    """Ids of a prompt, or of messages."""

    endpoint = "/tokenize"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        found = self.prompt(asked)
        ids = self.ids(found)
        return jobs.making(
            (found,), len(ids), asked | {"max_model_len": options.max_model_len}, options, found.instruction
        )

    @staticmethod
    def ids(prompt: Prompt) -> list[int]:
        """As many as the prompt has tokens."""
        _, *pairs = prompt.content.split(b"\0")
        text = b"".join(pairs[::2]) if pairs else prompt.content
        ids = encoded(text)
        return ([0] * (prompt.tokens - len(ids)) + ids)[: prompt.tokens]

    def prompt(self, asked: dict[str, Any]) -> Prompt:
        """What is to be counted. Raises Refused."""
        if "messages" in asked:
            return prompts.of_messages(asked["messages"], asked.get("tools"))
        return prompts.of_text(fields.text(asked, "prompt"))

    def whole(self, answer: Answer) -> Body:
        job = answer.job
        ids = self.ids(job.prompts[0])
        strings = [decoded([number]).decode("utf-8", "replace") for number in ids]
        return bodies.json(
            {
                "count": len(ids),
                "max_model_len": job.asked["max_model_len"],
                "tokens": [bodies.items([b"%d" % number for number in ids])],
                "token_strs": strings if job.asked.get("return_token_strs") is True else None,
            }
        )


class Detokenize(Dialect):
    """The text of ids."""

    endpoint = "/detokenize"
    member = "prompt"
    """Where the text stands in the answer."""

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        ids = asked.get("tokens")
        if not isinstance(ids, list) or not all(type(number) is int and number >= 0 for number in ids):
            raise Refused(400, "tokens: Input should be a list of token ids", param="tokens")
        text = decoded(ids).decode("utf-8", "replace")
        return jobs.making((prompts.of_tokens(ids),), 1, asked, options, text)

    def whole(self, answer: Answer) -> Body:
        text = decoded(answer.job.asked["tokens"]).decode("utf-8", "replace")
        return bodies.json({self.member: Tokens([escaped(text)])})


class NativeTokenize(Tokenize):
    """As llama.cpp has it: `content` in, plain ids out."""

    def prompt(self, asked: dict[str, Any]) -> Prompt:
        return prompts.of_text(fields.text(asked, "content"))

    def whole(self, answer: Answer) -> Body:
        ids = encoded(answer.job.prompts[0].content)
        pieces = [decoded([number]).decode("utf-8", "replace") for number in ids]
        if answer.job.asked.get("with_pieces") is True:
            rendered = [orjson.dumps({"id": number, "piece": piece}) for number, piece in zip(ids, pieces, strict=True)]
        else:
            rendered = [b"%d" % number for number in ids]
        return bodies.json({"tokens": [bodies.items(rendered)]})


class NativeDetokenize(Detokenize):
    """As llama.cpp has it."""

    member = "content"


class SglangTokenize(Tokenize):
    """As SGLang has it: of a text only, and never the pieces."""

    aliases = ("/v1/tokenize",)

    def prompt(self, asked: dict[str, Any]) -> Prompt:
        return prompts.of_text(fields.text(asked, "prompt"))

    def whole(self, answer: Answer) -> Body:
        job = answer.job
        ids = self.ids(job.prompts[0])
        rendered = bodies.items([b"%d" % number for number in ids])
        return bodies.json({"tokens": [rendered], "count": len(ids), "max_model_len": job.asked["max_model_len"]})


class SglangDetokenize(Detokenize):
    """As SGLang has it."""

    aliases = ("/v1/detokenize",)
    member = "text"


class TgiTokenize(Tokenize):
    """As TGI has it: `inputs` in, of whatever model, and each token with its place in the text."""

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.members(request)
        found = prompts.of_text(fields.text(asked, "inputs"))
        return jobs.making((found,), len(encoded(found.content)), asked, options, found.instruction)

    def whole(self, answer: Answer) -> Body:
        text = answer.job.prompts[0].content
        starts = range(0, len(text), BYTES_PER_TOKEN)
        tokens = [_piece(number, start) for number, start in zip(encoded(text), starts, strict=True)]
        return Body([b"[", bodies.items(tokens).tokens, b"]"])


def _piece(number: int, start: int) -> bytes:
    piece = decoded([number])
    token = {"id": number, "text": piece.decode("utf-8", "replace"), "start": start, "stop": start + len(piece)}
    return orjson.dumps(token)
