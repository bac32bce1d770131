import pytest

from tests.inference.simulator.client import CHAT, question, simulator


@pytest.fixture(scope="module")
def guarded():
    with simulator("--api-key", "sk-backend", "--model", "guarded", "--max-model-len", "1024") as sim:
        yield sim


def test_the_model_is_listed(sim):
    listed = sim.call("GET", "/v1/models").json
    assert listed["object"] == "list"
    (card,) = listed["data"]
    assert (card["id"], card["object"], card["owned_by"]) == ("sim", "model", "vllm")


def test_a_listed_model_tells_its_context_length(guarded):
    listed = guarded.call("GET", "/v1/models", authorization="Bearer sk-backend").json
    assert (listed["data"][0]["id"], listed["data"][0]["max_model_len"]) == ("guarded", 1024)


def test_the_engine_is_healthy_and_has_a_version(sim):
    assert (sim.call("GET", "/health").status, sim.call("GET", "/health").body) == (200, b"")
    assert sim.call("GET", "/version").json["version"].startswith("0.32")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic sk-backend"}])
@pytest.mark.parametrize(("method", "path"), [("POST", CHAT), ("GET", "/v1/models"), ("GET", "/v1/nothing")])
def test_the_key_guards_every_path_below_v1(guarded, headers, method, path):
    reply = guarded.call(method, path, question("Hello"), **headers)
    assert (reply.status, reply.body) == (401, b'{"error":"Unauthorized"}')


@pytest.mark.parametrize("path", ["/health", "/version", "/metrics", "/load", "/witness"])
def test_the_key_guards_nothing_else(guarded, path):
    assert guarded.call("GET", path).status == 200


def test_the_right_key_opens(guarded):
    body = question("[[sim tokens=1 ttft=0 gap=0]]", model="guarded")
    assert guarded.call("POST", CHAT, body, authorization="Bearer sk-backend").status == 200


def test_an_unknown_path_is_404_in_the_words_of_vllms_framework(sim):
    reply = sim.call("GET", "/v1/nothing?x=y")
    assert (reply.status, reply.json) == (404, {"detail": "Not Found"})


def test_another_method_is_405_and_says_which_is_allowed(sim):
    assert sim.call("GET", CHAT).headers["allow"] == "POST"
    assert sim.call("POST", "/witness").headers["allow"] == "GET, DELETE"


def test_only_json_is_taken(sim):
    with sim.wire() as wire:
        wire.send("POST", CHAT, question("Hello"), {"content-type": "text/plain"})
        assert wire.reply().status == 400
