"""The alerts: Prometheus can read them, what they watch exists, and each says where to read on."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from foundation import metrics
from tests.architecture import checkout
from tests.docs import pages

RULES = checkout.ROOT / "deploy" / "alerts" / "turnpike.yml"
NAME = re.compile(r"turnpike_\w+")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def shown() -> set[str]:
    families = metrics.registry.collect()
    return {f"{one.name}_total" if one.type == "counter" else one.name for one in families}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_watches_what_exists_and_says_where_to_read_on(rule):
    assert set(NAME.findall(rule["expr"])) <= shown()
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert (checkout.ROOT / rule["annotations"]["runbook"]).is_file()
    assert rule["annotations"]["summary"].endswith((".", "?"))


def test_every_alert_is_in_the_documentation():
    assert {rule["alert"] for rule in rules()} <= set(pages.table_rows("metrics.md"))


def test_a_ledger_that_does_not_add_up_is_an_alert():
    assert any("turnpike_ledger_verified == 0" in rule["expr"] for rule in rules())


def test_prometheus_accepts_the_rules():
    """By its own tool where Debian's prometheus is installed; everywhere by the fields that a rule has."""
    assert all(rule.keys() <= {"alert", "expr", "for", "labels", "annotations"} for rule in rules())
    if promtool := shutil.which("promtool"):
        done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
