"""The documentation builds into a site without a warning, and every page is in its menu."""

import subprocess
import sys
from pathlib import Path

from tests.architecture import checkout


def test_the_site_builds_without_a_warning(tmp_path: Path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=checkout.ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "quickstart" / "index.html").is_file()


def test_the_site_asks_no_other_host_for_anything(tmp_path: Path):
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")]
    subprocess.run(command, cwd=checkout.ROOT, check=True, capture_output=True)
    start = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert 'src="http' not in start
    assert "fonts.g" not in start
