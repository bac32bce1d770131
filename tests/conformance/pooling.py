"""Embeddings, scores and rankings; a vLLM that serves them serves no chats (`--runner pooling`)."""

from tests.conformance import checks
from tests.conformance.cases import Case, posting
from tests.conformance.crossing import (
    UNCHANGED,
    UNKNOWN_MODEL,
    Crossing,
    Refused,
    absent,
    leaves_out_documents,
    refused,
    refused_by_engine,
)
from tests.conformance.wire import Role

_embed = posting("/v1/embeddings", {"input": "Hello there"})
_score = posting("/score", {"text_1": "sun", "text_2": ["moon", "the stars"]})
_documents = {"query": "sun", "documents": ["moon", "the stars", "sun shine"]}
_score_v1 = posting("/v1/score", {"text_1": "sun", "text_2": ["moon", "the stars"]})
_rerank = posting("/rerank", _documents)
_rerank_v1 = posting("/v1/rerank", _documents)
_rerank_v2 = posting("/v2/rerank", _documents)


_embeddings = Crossing(refused=Refused(param="input"))
_same_as_v1 = "vLLM has it below /v1 as well, and the gateway only there"


def _case(area: str, name: str, request, *holds, gateway: Crossing = UNCHANGED) -> Case:
    return Case(area=area, name=name, request=request, holds=holds, role=Role.POOLING, gateway=gateway)


EMBEDDINGS = [
    _case("embeddings", "a text", _embed(), checks.has_vectors(1), checks.counts_input_only),
    _case("embeddings", "two texts", _embed(input=["a", "b c"]), checks.has_vectors(2), checks.counts_input_only),
    _case("embeddings", "token ids", _embed(input=[40, 41]), checks.has_vectors(1), checks.counts_input_only),
    _case("embeddings", "lists of token ids", _embed(input=[[40, 41], [42]]), checks.has_vectors(2)),
    _case("embeddings", "base64", _embed(encoding_format="base64"), checks.has_vectors(1)),
    _case("embeddings", "unknown model", _embed(model="absent"), gateway=UNKNOWN_MODEL),
    _case("embeddings", "no input", _embed(input=...), gateway=_embeddings),
    _case("embeddings", "empty list", _embed(input=[]), gateway=_embeddings),
    _case("embeddings", "too long", _embed(input="word " * 3000), gateway=refused_by_engine()),
    _case(
        "embeddings",
        "more dimensions than the model has",
        _embed(dimensions=5000),
        gateway=refused_by_engine("what a model can is the engine's to know"),
    ),
]

RANKINGS = [
    _case("rankings", "score", _score(), checks.counts_input_only, gateway=Crossing(path="/v1/score", why=_same_as_v1)),
    _case("rankings", "score below /v1", _score_v1(), checks.counts_input_only),
    _case("rankings", "score, many with as many", _score_v1(text_1=["sun", "rain"]), checks.counts_input_only),
    _case(
        "rankings",
        "score, more texts than fit",
        _score_v1(text_1=["sun", "rain"], text_2=["a", "b", "c"]),
        gateway=refused("text_1"),
    ),
    _case(
        "rankings",
        "rerank",
        _rerank(),
        checks.is_sorted_by_relevance,
        gateway=Crossing(path="/v1/rerank", why=_same_as_v1),
    ),
    _case("rankings", "rerank, the best", _rerank(top_n=1), gateway=Crossing(path="/v1/rerank", why=_same_as_v1)),
    _case("rankings", "rerank below /v1", _rerank_v1(), checks.is_sorted_by_relevance),
    _case("rankings", "rerank below /v2", _rerank_v2(), checks.is_sorted_by_relevance, gateway=absent(_same_as_v1)),
    _case(
        "rankings",
        "rerank without documents",
        _rerank(documents=...),
        gateway=Crossing(path="/v1/rerank", refused=Refused(param="documents"), why=_same_as_v1),
    ),
    _case(
        "rankings",
        "rerank, documents as objects",
        _rerank_v1(documents=[{"text": "moon"}, {"text": "sun shine"}]),
        gateway=Crossing(
            own=True,
            holds=(checks.is_sorted_by_relevance, checks.counts_input_only),
            why="Cohere's and Jina's clients send objects, which vLLM refuses: it is sent their texts",
        ),
    ),
    _case(
        "rankings",
        "rerank without the documents in the answer",
        _rerank_v1(return_documents=False),
        checks.is_sorted_by_relevance,
        gateway=Crossing(changes=(leaves_out_documents,), why="vLLM does not know `return_documents`"),
    ),
]

CASES = [*EMBEDDINGS, *RANKINGS]
