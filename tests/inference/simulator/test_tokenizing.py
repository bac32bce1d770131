import pytest

from inference.simulator import tokenizing


@pytest.mark.parametrize("text", ["", "a", "12345678", "東京 naïve \0 🙂"])
def test_what_is_encoded_can_be_decoded(text):
    assert tokenizing.decoded(tokenizing.encoded(text.encode())).decode() == text


def test_a_text_goes_out_and_comes_back(sim):
    answer = sim.post("/tokenize", prompt="12345678 9", return_token_strs=True).json
    assert (answer["count"], answer["token_strs"]) == (3, ["1234", "5678", " 9"])
    assert sim.post("/detokenize", tokens=answer["tokens"]).json == {"prompt": "12345678 9"}


def test_messages_count_what_their_usage_says(sim):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who goes there?"}]
    tools = [{"type": "function", "function": {"name": "toll"}}]
    counted = sim.post("/tokenize", messages=messages, tools=tools).json
    usage = sim.post("/v1/chat/completions", messages=messages, tools=tools, max_tokens=1).json["usage"]
    assert counted["count"] == len(counted["tokens"]) == usage["prompt_tokens"]
