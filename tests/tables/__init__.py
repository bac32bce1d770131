"""The tables of the documentation that are promises, as data: tests are parametrised by them, pages are made of them.

`python -m tests.tables` writes them into docs/; a test fails while a page says anything else.
"""
