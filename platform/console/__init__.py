"""The signed-in person's web pages. Owns no table.

May import: inference, keys, billing, tenants, foundation.
Start with `urls.py` (which pages there are), then `views/` (one file for each subject).
"""
