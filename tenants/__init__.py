"""WHO: users, organisations, projects, memberships and their roles, the audit trail.

Owns every question of "who is this and whose is that", and the row-level security that keeps tenants apart.
May import foundation only. Start with models.py, then isolation.py (which rows a transaction may see) and
founding.py (how an organisation comes to be).
"""
