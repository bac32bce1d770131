"""WHAT PROGRAMS SHOW US: API keys, plans and limits.

Owns issuing, rotating and revoking keys, what limits a key has in effect, and the check of a key on the hot path
(verification.py, which imports no Django). May import tenants and foundation, never billing. Start with models/, then
formats.py (what a key looks like), issuing.py (how one comes to be) and verification.py (how one is checked).
"""
