"""`python -m console.assets`: build the style sheet, `--check` what is committed, or `--vendor` packages anew."""

from __future__ import annotations

import argparse
import sys

from console.assets import building, vendoring


def main() -> int:
    """Do what the arguments say; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m console.assets", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="fail if the committed files are not what they should be")
    choice.add_argument("--vendor", action="store_true", help="fetch the locked packages again (needs npm)")
    options = parser.parse_args()
    if options.check:
        return _check()
    if options.vendor:
        vendoring.vendor()
    building.build()
    return 0


def _check() -> int:
    problems = vendoring.differences()
    if not building.is_current():
        problems.append(f"{building.BUILT.name} is out of date: run python -m console.assets")
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
