import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.inference.simulator.client import eventually, simulator


def _samples(sim) -> dict[str, float]:
    families = text_string_to_metric_families(sim.call("GET", "/metrics").body.decode())
    found = {}
    for family in families:
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name in {"finished_reason", "le"}}
            found[" ".join([sample.name, *labels.values()])] = sample.value
            assert (sample.labels["engine"], sample.labels["model_name"]) == ("0", 'a "model"')
    return found


@pytest.fixture
def own():
    with simulator("--model", 'a "model"') as sim:
        yield sim


def test_tokens_and_outcomes_are_counted_under_vllms_names(own):
    own.ask("[[sim tokens=5 ttft=0 gap=1]]", model='a "model"', stream=True)
    own.ask("[[sim tokens=9 ttft=0 gap=0]]", model='a "model"', max_tokens=4)
    samples = _samples(own)
    assert samples["vllm:generation_tokens_total"] == 9
    assert samples["vllm:prompt_tokens_total"] == 24
    assert samples["vllm:request_success_total stop"] == 1
    assert samples["vllm:request_success_total length"] == 1
    assert samples["vllm:time_to_first_token_seconds_count"] == 2
    assert samples["vllm:e2e_request_latency_seconds_count"] == 2
    assert samples["vllm:inter_token_latency_seconds_count"] >= 4


def test_requests_in_flight_show_as_running_and_waiting():
    with simulator("--model", 'a "model"', "--max-num-seqs", "1") as own:
        asked = {"model": 'a "model"'}
        with own.asking("[[sim ttft=60000]]", **asked), own.asking("[[sim ttft=60000]]", **asked):
            samples = eventually(lambda: (found := _samples(own))["vllm:num_requests_waiting"] and found)
            assert samples["vllm:num_requests_running"] == 1
            assert 0 < samples["vllm:kv_cache_usage_perc"] < 1
        eventually(lambda: _samples(own)["vllm:request_success_total abort"] == 2)


def test_the_prefix_cache_is_counted_in_tokens(own):
    for _ in range(2):
        own.ask("[[sim tokens=1 ttft=0 gap=0]]" + "shared " * 50, model='a "model"')
    samples = _samples(own)
    assert 0 < samples["vllm:prefix_cache_hits_total"] < samples["vllm:prefix_cache_queries_total"]


def test_the_names_are_real_vllms():
    """The names of vLLM 0.32's own /metrics, as far as the simulator has them; see docs/simulator.md."""
    names = {
        "num_requests_running",
        "num_requests_waiting",
        "kv_cache_usage_perc",
        "prefix_cache_queries_total",
        "prefix_cache_hits_total",
        "prompt_tokens_total",
        "generation_tokens_total",
        "request_success_total stop",
        "time_to_first_token_seconds_count",
        "inter_token_latency_seconds_count",
        "e2e_request_latency_seconds_count",
        "request_queue_time_seconds_count",
        "request_inference_time_seconds_count",
        "request_prompt_tokens_count",
        "request_generation_tokens_count",
        "request_params_n_count",
        "request_params_max_tokens_count",
    }
    with simulator("--model", 'a "model"') as own:
        assert {f"vllm:{name}" for name in names} <= set(_samples(own))
