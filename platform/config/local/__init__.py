"""The embedded installation: what `make up` starts on one machine, and how it is stopped again.

Owns the data folder (default `.local`) and every process below it: PostgreSQL, Valkey, a demo engine, Celery's worker
and beat, the server. `launcher.py` tells the story, `__main__.py` is its command line. The tests start servers of their
own with the same modules. Nothing here runs in production.
"""
