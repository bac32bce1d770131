"""What every resource of the management API shares and that needs no table: bodies, answers, pages, the schema.

It stands on the floor because each app has resources, and imports point down. What needs to know people, organisations
or keys stands above: tenants/rest/ (who asks, in which organisation, at most once) and keys/bearer.py (by which key).
Only edges (`<app>/api.py`) and those two import it: the gateway never does.
"""
