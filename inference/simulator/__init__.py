"""A vLLM-shaped engine without a model: for tests, load tests and planning.

Owns the wire shapes of vLLM's OpenAI server, its metrics, a latency model, a prefix cache, and faults by directive.
May import the standard library and orjson only: no Django, nothing else of Turnpike; so it starts at once.
Start at `directives.py` (what a test can ask for), then `connection.py`, `routes.py`, `jobs.py`, `streaming.py`.
Run it with `python -m inference.simulator` or `python manage.py simulator`.
"""
