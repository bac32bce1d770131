from tests.inference.simulator.client import COMPLETIONS

QUICK = "ttft=0 gap=1"


def test_an_echo_puts_the_prompt_before_the_text(sim):
    prompt = f"[[sim tokens=2 {QUICK}]] Go"
    plain = sim.ask(prompt, COMPLETIONS, echo=True).json
    streamed = sim.ask(prompt, COMPLETIONS, echo=True, stream=True)
    assert plain["choices"][0]["text"].startswith(prompt)
    assert "".join(event["choices"][0]["text"] for event in streamed.events) == plain["choices"][0]["text"]
    assert plain["usage"]["completion_tokens"] == 2


def test_logprobs_are_four_lists_of_one_length(sim):
    (choice,) = sim.ask(f"[[sim tokens=3 {QUICK}]]", COMPLETIONS, logprobs=2).json["choices"]
    assert "".join(choice["logprobs"]["tokens"]) == choice["text"]
    assert {len(entries) for entries in choice["logprobs"].values()} == {3}
    assert [len(tops) for tops in choice["logprobs"]["top_logprobs"]] == [2, 2, 2]


def test_token_ids_are_a_prompt(sim):
    answer = sim.post(COMPLETIONS, prompt=[[5, 6, 7], [8]], max_tokens=2).json
    assert (len(answer["choices"]), answer["usage"]["prompt_tokens"]) == (2, 4)


def test_each_prompt_has_its_n(sim):
    answer = sim.ask("", COMPLETIONS, prompt=["one", f"[[sim tokens=2 {QUICK}]]"], n=2).json
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
