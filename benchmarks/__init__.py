"""Load tests: what the gateway costs beside the engine that stands behind it, both measured in the same run.

`python -m benchmarks` (`make bench`) starts an installation of its own and measures it; `python -m benchmarks profile`
says where the gateway's time goes. Imports `config.local` and nothing of the applications but in processes of their
own. Never a part of the test command. Start at `__main__.py`, then `installation.py` and `rounds.py`.
docs/performance.md explains the method.
"""
