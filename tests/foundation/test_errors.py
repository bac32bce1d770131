import pickle

import pytest

from foundation import errors
from foundation.errors import PlatformError

TREE = PlatformError.__subclasses__()


class OutOfHats(errors.PaymentRequired):
    code, message = "out_of_hats", "There are no hats left."


def test_an_error_renders_as_openai_does():
    error = errors.InvalidRequest("No such field.", param="temperatur")
    assert errors.as_openai(error) == {
        "error": {
            "message": "No such field.",
            "type": "invalid_request_error",
            "param": "temperatur",
            "code": "invalid_request",
        }
    }


def test_a_subclass_sets_what_differs_and_inherits_the_rest():
    error = OutOfHats()
    assert (error.status, error.type, error.code) == (402, "insufficient_quota", "out_of_hats")
    assert str(error) == error.message == "There are no hats left."


def test_a_message_given_stays_with_its_error():
    assert OutOfHats("Come back on Monday.").message == "Come back on Monday."
    assert OutOfHats().message == "There are no hats left."


def test_the_internal_cause_never_leaves():
    with pytest.raises(errors.Overloaded) as caught:
        raise errors.Overloaded from ValueError("password=hunter2")
    assert "hunter2" not in str(errors.as_openai(caught.value))


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (3, "3"), (0, "0"), (-1.5, "0")])
def test_retry_after_is_rounded_up_to_whole_seconds(seconds, header):
    assert errors.answer_headers(errors.RateLimited(retry_after=seconds)) == {"retry-after": header}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errors.Conflict(), "false"),
        (errors.RateLimited(), "false"),
        (errors.RateLimited(retry_after=1), None),
        (errors.Overloaded(), None),
        (errors.InvalidRequest(), None),
    ],
    ids=["a conflict", "a limit without an end", "a limit with an end", "ours", "a fault that no SDK retries"],
)
def test_an_sdk_is_told_not_to_retry_what_it_would_retry_in_vain(error, told):
    assert errors.answer_headers(error).get("x-should-retry") == told


def test_headers_given_join_those_of_the_kind():
    headers = errors.answer_headers(errors.Unauthenticated(headers={"x-reason": "expired"}))
    assert headers == {"www-authenticate": 'Bearer realm="turnpike"', "x-reason": "expired"}


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(errors.Conflict("Taken.", param="slug", retry_after=2)))
    assert (error.message, error.param, error.retry_after) == ("Taken.", "slug", 2)


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_code_a_status_and_a_sentence(kind):
    error = kind()
    assert error.code.isascii()
    assert 400 <= error.status < 600
    assert error.message.endswith(".")


def test_no_two_kinds_share_a_code_or_a_status():
    assert len({kind.code for kind in TREE}) == len({kind.status for kind in TREE}) == len(TREE)
