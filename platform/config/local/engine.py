"""The demo engine: SmolLM2-135M-Instruct on the CPU behind llama.cpp's OpenAI-compatible server, for `make up`.

Runs as a process of its own: `python -m config.local.engine --port 8100`. `/health` answers 503 until the model is
loaded, `/metrics` is llama.cpp's own. It listens on the loopback address only.
"""

import argparse
import os
import threading
from typing import Any

from config.local import wheels
from config.local.errors import CannotStart

MODEL = "smollm2-135m-instruct"
CONTEXT_LENGTH = 4096
SLOTS = 4
"""Requests that are computed at once; more of them wait in the engine's own queue."""

# The model's own template puts a system message ahead of conversations that have none ("You are a helpful AI assistant
# named SmolLM, trained by Hugging Face"). In this quantisation that sentence makes it answer an English question with
# French gibberish; without it, it answers. Everything else is as trained.
_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> None:
    """Serve until the process is ended."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, required=True)
    port = arguments.parse_args().port
    try:
        server = _serve(port)
    except CannotStart as reason:
        raise SystemExit(str(reason)) from None
    print(f"{MODEL} answers at {server.listening_address}", flush=True)
    threading.Event().wait()


def _serve(port: int) -> Any:
    try:
        import xllamacpp  # noqa: PLC0415 - it loads 100 MB of libraries, which only this process needs
    except ImportError as error:
        raise CannotStart(
            f"llama.cpp cannot be loaded ({error}): start with ENGINE=simulator or ENGINE=none."
        ) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(wheels.model_file())
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.cors_origins = f"http://127.0.0.1:{port}"  # no page in a browser may spend this machine's time
    params.ui = False
    params.endpoint_metrics = True
    params.endpoint_slots = False  # would show one caller's prompt to the next
    params.chat_template = _CHAT_TEMPLATE
    params.sampling.temp, params.sampling.top_p = (
        0.2,
        0.9,
    )  # as the model's card recommends; a request may say otherwise
    params.n_parallel = SLOTS
    params.n_ctx = CONTEXT_LENGTH * SLOTS
    params.cache_ram_mib = 0
    cores = len(os.sched_getaffinity(0))
    params.cpuparams.n_threads = max(1, cores - 1)  # leaves a core to the rest of the installation
    params.cpuparams_batch.n_threads = cores
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
