"""The command line, the same for `python -m inference.simulator` and `python manage.py simulator`."""

import argparse
import sys
from typing import Any

from inference.simulator import server
from inference.simulator.options import Options
from inference.simulator.personalities import PERSONALITIES

DESCRIPTION = "Run the engine simulator on a loopback address."
_DEFAULTS = Options()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the simulator's flags."""
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, printed in the first line")
    parser.add_argument("--engine", choices=PERSONALITIES, default=_DEFAULTS.engine, help="which engine it is")
    parser.add_argument("--model", default=_DEFAULTS.model, help="the name it serves under")
    parser.add_argument("--max-num-seqs", type=_positive, default=_DEFAULTS.max_num_seqs, help="requests at once")
    parser.add_argument("--max-model-len", type=_positive, default=_DEFAULTS.max_model_len, help="tokens of context")
    parser.add_argument("--api-key", default=None, help="the key it wants")
    parser.add_argument("--speed", type=_speed, default=_DEFAULTS.speed, help="divides modelled delays; inf for none")


def run(arguments: dict[str, Any]) -> int:
    """Serve until told to end; gives the exit status."""
    options = Options(
        model=arguments["model"],
        engine=arguments["engine"],
        max_num_seqs=arguments["max_num_seqs"],
        max_model_len=arguments["max_model_len"],
        api_key=arguments["api_key"],
        speed=arguments["speed"],
    )
    try:
        server.run(options, arguments["host"], arguments["port"])
    except (OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    return 0


def main() -> int:
    """Run from the command line, without Django."""
    parser = argparse.ArgumentParser(prog="python -m inference.simulator", description=DESCRIPTION)
    add_arguments(parser)
    return run(vars(parser.parse_args()))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _speed(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return number
