"""The command that checks the audit trail."""

import pytest
from django.core.management import CommandError, call_command

from tenants import audit, isolation
from tests.tenants import cast


def test_a_whole_trail_is_reported_with_its_end(fresh_database, capsys):
    with isolation.everything():
        cast.organization()
    call_command("verify_audit")
    assert f"1 entries, the last is {audit.chain_end()[1]}" in capsys.readouterr().out


def test_a_broken_trail_fails_and_is_named(fresh_database):
    with isolation.everything():
        cast.organization()
    fresh_database.sql("SET session_replication_role = replica; UPDATE tenants_auditevent SET action = 'other'")
    with pytest.raises(CommandError, match="broken at entry 1: its event was changed"):
        call_command("verify_audit")
