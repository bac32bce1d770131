"""How operators name what they limit."""

import pytest

from keys.admin import _target
from keys.effective import Limits
from keys.forms import ScopeForm
from keys.subjects import Subject
from tests.keys.test_limiting import set_limits


def asked(target: str) -> ScopeForm:
    form = ScopeForm({"target": target, "rpm": "5"})
    form.is_valid()
    return form


@pytest.mark.parametrize(
    ("name", "scope", "text"),
    [
        ("customer/alice", "customer", "alice"),
        ("customer/*", "customer", ""),
        ("customer/a/b", "customer", "a/b"),
        ("address/2001:db8::1", "address", "2001:db8::/64"),
        ("model/sim", "model", "sim"),
    ],
)
def test_a_subject_is_named_after_its_organization(acme, name, scope, text):
    form = asked(f"{acme.public_id}/{name}")
    assert form.cleaned_data["target"] == Subject(acme.pk, scope, text)


@pytest.mark.parametrize("name", ["customer", "customer/", "continent/asia", "address/x", "member/user_x"])
def test_what_is_no_subject_is_refused(acme, name):
    assert "target" in asked(f"{acme.public_id}/{name}").errors
    assert "target" in asked("org_nobody/customer/alice").errors


@pytest.mark.parametrize("text", ["alice", "each", ""])
def test_limits_lead_back_to_their_subject(acme, text):
    subject = Subject(acme.pk, "customer", text)
    assert _target(set_limits(subject, Limits(rpm=1))) == subject
