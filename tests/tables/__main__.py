"""`python -m tests.tables`: write the tables into the pages of the documentation that have a place for them."""

import os
import sys

import django


def main() -> int:
    """Write the pages that are not as they should be; return the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # What is known of the code is imported with its models, which need Django to be set up.
    from tests.tables import printing  # noqa: PLC0415 - see above

    for page in printing.outdated():
        page.write_text(printing.printed(page), encoding="utf-8")
        sys.stdout.write(f"{page.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
