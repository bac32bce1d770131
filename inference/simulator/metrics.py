"""The simulator's `/metrics`, under the names and with the labels and bounds of vLLM."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from inference.simulator.histograms import FIRST_TOKEN, PER_REQUEST, PER_TOKEN, Histogram, one_two_five

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

FinishedReason = Literal["stop", "length", "abort", "error"]


@dataclass(frozen=True, slots=True)
class Gauges:
    """What only the moment of the scrape knows."""

    running: int
    waiting: int
    kv_cache_usage: float
    """From 0 to 1."""
    prefix_cache_queries: int
    prefix_cache_hits: int


class Metrics:
    """Counts what the engine did since its start."""

    def __init__(self, model: str, max_model_len: int) -> None:
        self._labels = f'engine="0",model_name="{_escaped(model)}"'
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.generation_tokens = 0
        self.finished: dict[FinishedReason, int] = {"stop": 0, "length": 0, "abort": 0, "error": 0}
        sizes = one_two_five(max_model_len)
        self.request_prompt_tokens = Histogram(sizes)
        self.request_generation_tokens = Histogram(sizes)
        self.params_n = Histogram((1.0, 2.0, 5.0, 10.0, 20.0))
        self.params_max_tokens = Histogram(sizes)
        self.first_token = Histogram(FIRST_TOKEN)
        self.inter_token = Histogram(PER_TOKEN)
        self.end_to_end = Histogram(PER_REQUEST)
        self.queued = Histogram(PER_REQUEST)
        self.inference = Histogram(PER_REQUEST)

    def render(self, gauges: Gauges) -> bytes:
        """Everything in the text exposition format."""
        lines: list[str] = []
        for name, help_text, value in self._gauges(gauges):
            lines += _family(f"vllm:{name}", "gauge", help_text, [f"vllm:{name}{{{self._labels}}} {float(value)}"])
        for name, help_text, value in self._counters(gauges):
            lines += _family(f"vllm:{name}", "counter", help_text, [f"vllm:{name}{{{self._labels}}} {float(value)}"])
        lines += self._finished()
        for name, (help_text, histogram) in self._histograms().items():
            lines += _family(f"vllm:{name}", "histogram", help_text, histogram.lines(f"vllm:{name}", self._labels))
        return ("\n".join(lines) + "\n").encode()

    @staticmethod
    def _gauges(gauges: Gauges) -> list[tuple[str, str, float]]:
        return [
            ("num_requests_running", "Number of requests in model execution batches.", gauges.running),
            ("num_requests_waiting", "Number of requests waiting to be processed.", gauges.waiting),
            ("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", gauges.kv_cache_usage),
        ]

    def _counters(self, gauges: Gauges) -> list[tuple[str, str, int]]:
        queries, hits = gauges.prefix_cache_queries, gauges.prefix_cache_hits
        return [
            ("prefix_cache_queries_total", "Prefix cache queries, in number of queried tokens.", queries),
            ("prefix_cache_hits_total", "Prefix cache hits, in number of cached tokens.", hits),
            ("num_preemptions_total", "Cumulative number of preemption from the engine.", 0),
            ("prompt_tokens_total", "Number of prefill tokens processed.", self.prompt_tokens),
            ("prompt_tokens_cached_total", "Number of cached prompt tokens.", self.cached_tokens),
            ("generation_tokens_total", "Number of generation tokens processed.", self.generation_tokens),
        ]

    def _finished(self) -> list[str]:
        name = "vllm:request_success_total"
        samples = [
            f'{name}{{{self._labels},finished_reason="{reason}"}} {float(count)}'
            for reason, count in self.finished.items()
        ]
        return _family(name, "counter", "Count of successfully processed requests.", samples)

    def _histograms(self) -> Mapping[str, tuple[str, Histogram]]:
        return {
            "time_to_first_token_seconds": ("Time to first token in seconds.", self.first_token),
            "inter_token_latency_seconds": ("Inter-token latency in seconds.", self.inter_token),
            "e2e_request_latency_seconds": ("End-to-end request latency in seconds.", self.end_to_end),
            "request_queue_time_seconds": ("Time spent in WAITING phase for request.", self.queued),
            "request_inference_time_seconds": ("Time spent in RUNNING phase for request.", self.inference),
            "request_prompt_tokens": ("Number of prefill tokens processed.", self.request_prompt_tokens),
            "request_generation_tokens": ("Number of generation tokens processed.", self.request_generation_tokens),
            "request_params_n": ("The n request parameter.", self.params_n),
            "request_params_max_tokens": ("The max_tokens request parameter.", self.params_max_tokens),
        }


def _family(name: str, kind: str, help_text: str, samples: list[str]) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *samples]


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
