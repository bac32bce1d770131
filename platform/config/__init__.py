"""The roof: wires the apps together and is imported by none of them: settings, doors, jobs, checks, the server.

May import everything below it: console, inference, keys, billing, tenants, foundation.
Start with `settings.py` (what can be set), then `asgi.py` (which door?), `celery.py` (what runs by the clock) and
`server.py` (how it is served). `local/` is the installation on one machine that `make up` starts.
"""
