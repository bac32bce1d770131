"""The signed-in person's web pages, the public ones and signing in. Owns no table.

May import everything but config. A page resolves the membership (access.py), enters its organisation, makes one call
into the domain and renders. Start with urls.py and views/; figures.py reads usage, catalogue.py what is on offer.
"""
