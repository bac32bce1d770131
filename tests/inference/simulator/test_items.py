import pytest

DOCUMENTS = ["the keeper counts coins", "rain over the river", "coins for the keeper"]


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v2/rerank"])
def test_documents_come_in_order_of_relevance(sim, path):
    answer = sim.post(path, query="keeper coins", documents=DOCUMENTS, top_n=2).json
    assert {result["index"] for result in answer["results"]} == {0, 2}
    first, second = (result["relevance_score"] for result in answer["results"])
    assert 1 >= first >= second >= 0
    assert answer["results"][0]["document"]["text"] in DOCUMENTS
    assert answer["usage"]["total_tokens"] > 0


def test_documents_are_texts_and_always_in_the_answer(sim):
    assert sim.post("/v1/rerank", query="a", documents=[{"text": "a"}]).status == 400
    answer = sim.post("/v1/rerank", query="a", documents=["a", "b"], return_documents=False).json
    assert {result["document"]["text"] for result in answer["results"]} == {"a", "b"}


@pytest.mark.parametrize("path", ["/score", "/v1/score"])
def test_one_text_is_scored_with_many(sim, path):
    answer = sim.post(path, text_1="keeper coins", text_2=DOCUMENTS).json
    scores = [entry["score"] for entry in answer["data"]]
    assert (len(scores), max(scores) <= 1, scores[0] > scores[1]) == (3, True, True)
    assert answer["usage"]["completion_tokens"] == 0


def test_texts_of_different_numbers_cannot_be_paired(sim):
    assert sim.post("/score", text_1=["a", "b"], text_2=["a", "b", "c"]).status == 400


def test_a_text_that_names_a_category_is_flagged(sim):
    harmless, harmful = sim.post("/v1/moderations", input=["a road", "some violence"]).json["results"]
    assert (harmless["flagged"], harmful["flagged"], harmful["categories"]["violence"]) == (False, True, True)


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/v1/rerank", {"query": "[[sim status=503]]", "documents": ["a"]}),
        ("/v1/score", {"text_1": "[[sim status=503]]", "text_2": "a"}),
        ("/v1/moderations", {"input": "[[sim status=503]]"}),
        ("/tokenize", {"prompt": "[[sim status=503]]"}),
        ("/v1/audio/speech", {"input": "[[sim status=503]]"}),
        ("/v1/images/generations", {"prompt": "[[sim status=503]]"}),
    ],
)
def test_directives_stand_in_the_text(sim, path, members):
    assert sim.post(path, **members).status == 503


@pytest.mark.parametrize("path", ["/v1/rerank", "/v1/score", "/v1/moderations", "/tokenize", "/detokenize"])
def test_a_body_without_its_text_is_refused(sim, path):
    assert sim.post(path).status == 400


def test_a_body_is_cut_after_so_many_results(sim):
    reply = sim.post("/v1/rerank", query="[[sim die_after=2]]", documents=DOCUMENTS, request_id="rerank-cut")
    assert (reply.whole, reply.body.count(b"relevance_score")) == (False, 2)
    assert sim.record("rerank-cut")["ended"] == "died"
