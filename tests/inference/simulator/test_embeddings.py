import base64
import math
import struct

import pytest

EMBEDDINGS = "/v1/embeddings"


def test_a_vector_follows_from_its_text_and_has_length_one(sim):
    first, second, other = sim.post(EMBEDDINGS, input=["toll", "toll", "gate"]).json["data"]
    assert first["embedding"] == second["embedding"] != other["embedding"]
    assert math.hypot(*first["embedding"]) == pytest.approx(1)


def test_base64_holds_the_same_numbers(sim):
    (plain,) = sim.post(EMBEDDINGS, input="toll", dimensions=8).json["data"]
    (packed,) = sim.post(EMBEDDINGS, input="toll", dimensions=8, encoding_format="base64").json["data"]
    assert struct.unpack("<8f", base64.b64decode(packed["embedding"])) == pytest.approx(plain["embedding"])


@pytest.mark.parametrize(("given", "tokens"), [("12345678", 2), ([1, 2, 3], 3), ([[1], [2, 3]], 3), (["1234", "5"], 2)])
def test_the_input_is_counted_and_nothing_is_generated(sim, given, tokens):
    request_id = f"embedded-{given}"
    usage = sim.post(EMBEDDINGS, input=given, request_id=request_id).json["usage"]
    assert (usage["prompt_tokens"], usage["total_tokens"], usage["completion_tokens"]) == (tokens, tokens, 0)
    assert sim.record(request_id)["completion_tokens"] == 0


def test_a_body_is_cut_after_so_many_vectors(sim):
    reply = sim.post(EMBEDDINGS, input=["[[sim die_after=1 ttft=0]]", "b"])
    assert (reply.whole, reply.body.count(b'"index"')) == (False, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_status_comes_in_place_of_vectors(sim, status):
    assert sim.post(EMBEDDINGS, input=["a", f"[[sim status={status}]]"]).status == status


@pytest.mark.parametrize(
    "members", [{}, {"input": []}, {"input": "a", "dimensions": 0}, {"input": "a", "encoding_format": "int8"}]
)
def test_what_is_no_input_is_refused(sim, members):
    assert sim.post(EMBEDDINGS, **members).status == 400


def test_usage_may_be_missing(sim):
    assert "usage" not in sim.post(EMBEDDINGS, input="[[sim usage=none]]").json
