"""The server with a sampler in its worker: `python -m benchmarks.sampled_server`, in place of `config.server`.

SIGUSR1 starts sampling, SIGUSR2 ends it and writes the counts to the file that BENCH_SAMPLES names.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.sampler import Sampler
from config.server import load_application, main


def load() -> Callable[..., Any]:
    """Return the application, with a sampler beside it."""
    application = load_application()
    Sampler(Path(os.environ["BENCH_SAMPLES"])).install()
    return application


if __name__ == "__main__":
    main(load)
