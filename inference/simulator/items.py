"""Answers that are made of items and not of tokens; each is one path, and the shapes are vLLM's where it has them."""

import time
from typing import Any
from zlib import crc32

import orjson

from inference.simulator import bodies, fields, jobs, prompts, wire
from inference.simulator.bodies import Body
from inference.simulator.dialects import Answer, Dialect
from inference.simulator.jobs import Job
from inference.simulator.metering import Meter
from inference.simulator.options import Options
from inference.simulator.prompts import Prompt
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

Document = dict[str, Any]


def score(query: bytes, document: bytes) -> float:
    """How well a document answers a query, from 0 to 1: the share of the query's words in it, and a trace of chance."""
    wanted, found = set(query.lower().split()), set(document.lower().split())
    share = len(wanted & found) / len(wanted) if wanted else 0.0
    return 0.9 * share + 0.1 * (crc32(query + b"\0" + document) / 0xFFFFFFFF)


class Rerank(Dialect):
    """`/rerank` in all its spellings, as Cohere and Jina have it: documents in order of relevance."""

    endpoint = "/v1/rerank"
    aliases = ("/rerank", "/v2/rerank")
    id_prefix = "score-"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        query, documents = fields.text(asked, "query"), _texts(asked, "documents")
        top = fields.whole(asked, "top_n", at_least=0) or len(documents)
        pairs = tuple(_pair(query, document) for document in documents)
        return jobs.making(pairs, min(top, len(documents)), asked, options, query)

    def whole(self, answer: Answer) -> Body:
        job, meter = answer.job, Meter(answer.job)
        query, documents = job.asked["query"].encode(), _texts(job.asked, "documents")
        scored = [(score(query, text.encode()), index) for index, text in enumerate(documents)]
        best = sorted(scored, key=lambda one: (-one[0], one[1]))[: job.tokens]
        results = [self._result(index, documents[index], value) for value, index in best]
        counts = meter.counts()
        usage = {"usage": {"prompt_tokens": counts.prompt, "total_tokens": counts.prompt}} if meter.in_whole else {}
        return bodies.json({"id": answer.id, "model": answer.model, **usage, "results": [bodies.items(results)]})

    @staticmethod
    def _result(index: int, text: str, value: float) -> bytes:
        # Whatever `return_documents` says: vLLM does not know it.
        shown = {"text": text, "multi_modal": None}
        return orjson.dumps({"index": index, "document": shown, "relevance_score": value})


class Score(Dialect):
    """`/score`: pairs of texts, one with one or one with many."""

    endpoint = "/v1/score"
    aliases = ("/score",)
    id_prefix = "score-"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        pairs = _pairs(asked)
        found = tuple(_pair(first, second) for first, second in pairs)
        return jobs.making(found, len(found), asked, options, "\n".join(first for first, _ in pairs))

    def whole(self, answer: Answer) -> Body:
        job, meter = answer.job, Meter(answer.job)
        data = [
            orjson.dumps({"index": index, "object": "score", "score": score(first.encode(), second.encode())})
            for index, (first, second) in enumerate(_pairs(job.asked))
        ]
        head = {"id": answer.id, "object": "list", "created": int(time.time()), "model": answer.model}
        usage = (
            {"usage": orjson.Fragment(wire.usage(meter.counts().prompt, 0, wire.whole_details(None, None)))}
            if meter.in_whole
            else {}
        )
        return bodies.json(head | {"data": [bodies.items(data)]} | usage)


class Moderations(Dialect):
    """`/v1/moderations` in OpenAI's shape; a text that names a category is flagged for it. vLLM has none."""

    endpoint = "/v1/moderations"
    id_prefix = "modr-"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        texts = _moderated(asked)
        found = tuple(prompts.of_text(text) for text in texts)
        return jobs.making(found, len(found), asked, options, "\n".join(texts))

    def whole(self, answer: Answer) -> Body:
        results = [self._result(text) for text in _moderated(answer.job.asked)]
        return bodies.json({"id": answer.id, "model": answer.model, "results": [bodies.items(results)]})

    @staticmethod
    def _result(text: str) -> bytes:
        scores = {
            name: 0.97 if name in text.lower() else crc32(name.encode() + text.encode()) % 90 / 10_000
            for name in _CATEGORIES
        }
        flags = {name: value > 0.5 for name, value in scores.items()}
        applied = {name: ["text"] for name in _CATEGORIES}
        members = {"flagged": any(flags.values()), "categories": flags, "category_scores": scores}
        return orjson.dumps({**members, "category_applied_input_types": applied})


_CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"),
    *("self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors"),
    *("violence", "violence/graphic"),
)


def _moderated(asked: Document) -> list[str]:
    given = asked.get("input")
    if isinstance(given, list) and given and all(isinstance(part, dict) for part in given):
        return ["\n".join(str(part.get("text", "")) for part in given)]
    return _texts(asked, "input")


def _texts(asked: Document, name: str) -> list[str]:
    """One text or a list of them. Raises Refused."""
    given = asked.get(name)
    listed = given if isinstance(given, list) else [given]
    texts = [text for text in listed if isinstance(text, str)]
    if not texts or len(texts) < len(listed):
        raise fields.invalid(name, "Input should be a text or a list of texts")
    return texts


def _pairs(asked: Document) -> list[tuple[str, str]]:
    first = _texts(asked, "text_1" if "text_1" in asked else "queries")
    second = _texts(asked, "text_2" if "text_2" in asked else "documents")
    if len(first) == 1:
        first *= len(second)
    if len(first) != len(second):
        raise Refused(400, "Input lengths must be either 1:1, 1:N or N:N")
    return list(zip(first, second, strict=True))


def _pair(first: str, second: str) -> Prompt:
    return prompts.of_text(f"{first}{second}")
