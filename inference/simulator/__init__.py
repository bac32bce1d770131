"""An engine without a model: for tests, load tests and planning. It is vLLM on the wire, or another on request.

Owns the wire shapes of its engines, vLLM's metrics, a latency model, a prefix cache, and faults by directive.
May import the standard library, orjson and python-multipart only: nothing else of Turnpike; so it starts at once.
Start at `directives.py` (what a test can ask for), `personalities.py` (which engine serves what), `dialects.py` (one
endpoint), then `connection.py`, `routes.py`, `jobs.py`, `streaming.py`.
Run it with `python -m inference.simulator` or `python manage.py simulator`.
"""
