"""Embeddings, scores and rankings; a vLLM that serves them serves no chats (`--runner pooling`)."""

from tests.conformance import checks
from tests.conformance.cases import Case, posting
from tests.conformance.wire import Role

_embed = posting("/v1/embeddings", {"input": "Hello there"})
_score = posting("/score", {"text_1": "sun", "text_2": ["moon", "the stars"]})
_documents = {"query": "sun", "documents": ["moon", "the stars", "sun shine"]}
_rerank = posting("/rerank", _documents)
_rerank_v1 = posting("/v1/rerank", _documents)
_rerank_v2 = posting("/v2/rerank", _documents)


def _case(area: str, name: str, request, *holds) -> Case:
    return Case(area=area, name=name, request=request, holds=holds, role=Role.POOLING)


CASES = [
    _case("embeddings", "a text", _embed(), checks.has_vectors(1), checks.counts_input_only),
    _case("embeddings", "two texts", _embed(input=["a", "b c"]), checks.has_vectors(2), checks.counts_input_only),
    _case("embeddings", "token ids", _embed(input=[40, 41]), checks.has_vectors(1), checks.counts_input_only),
    _case("embeddings", "lists of token ids", _embed(input=[[40, 41], [42]]), checks.has_vectors(2)),
    _case("embeddings", "base64", _embed(encoding_format="base64"), checks.has_vectors(1)),
    _case("embeddings", "unknown model", _embed(model="absent")),
    _case("embeddings", "no input", _embed(input=...)),
    _case("embeddings", "empty list", _embed(input=[])),
    _case("embeddings", "too long", _embed(input="word " * 3000)),
    _case("rankings", "score", _score(), checks.counts_input_only),
    _case("rankings", "rerank", _rerank(), checks.is_sorted_by_relevance),
    _case("rankings", "rerank, the best", _rerank(top_n=1)),
    _case("rankings", "rerank below /v1", _rerank_v1(), checks.is_sorted_by_relevance),
    _case("rankings", "rerank below /v2", _rerank_v2(), checks.is_sorted_by_relevance),
    _case("rankings", "rerank without documents", _rerank(documents=...)),
]
