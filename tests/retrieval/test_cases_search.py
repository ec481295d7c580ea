from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from flask_cairnloop import Customer, Operator, conversations, retrieval
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import transaction
from flask_cairnloop.host.people import SYSTEM, System
from flask_cairnloop.retrieval import Cause, GroundingLevel, ResolvedCase, Trust
from tests.retrieval.conftest import Write

PROBLEM = "The parcel arrived crushed and the glass is broken."


def remember(owner: Operator, problem: str = PROBLEM, *, subject: str = "Broken glass") -> int:
    """A resolved case of one operator; its conversation's id."""
    customer = Customer(ref=f"mina-{owner.id}-{subject}", tenant=owner.tenant)
    conversation_id = conversations.receive_from(customer, problem).conversation_id
    with transaction() as db:
        case = ResolvedCase(tenant=owner.tenant, conversation_id=conversation_id, host_user_id=owner.id)
        case.subject, case.problem, case.resolution = subject, problem, "Sent a new one."
        case.actions, case.outcome, case.digest = [], "resolved", ""
        case.resolved_at = now() - timedelta(days=1)
        db.add(case)
    return conversation_id


def test_similar_cases_are_found_and_never_called_canon(app: Flask, operator: Operator) -> None:
    conversation_id = remember(operator)
    (found,) = retrieval.search_cases("my glass is broken", visible_to=operator)
    assert (found.id, found.title, found.trust) == (f"case:{conversation_id}", "Broken glass", Trust.ASSISTIVE)
    assert found.content == f"{PROBLEM}\n\nSent a new one."
    assert retrieval.search("my glass is broken", visible_to=operator) == []


def test_cases_of_another_tenant_are_never_seen(app: Flask, operator: Operator) -> None:
    conversation_id = remember(Operator(id="eve", name="Eve", tenant="elsewhere"))
    assert retrieval.search_cases("my glass is broken", visible_to=operator) == []
    assert retrieval.find_evidence(f"case:{conversation_id}", visible_to=operator) is None


def test_customers_see_no_cases(app: Flask, operator: Operator, customer: Customer) -> None:
    conversation_id = remember(operator)
    assert retrieval.search_cases("my glass is broken", visible_to=customer) == []
    assert retrieval.ground("my glass is broken", visible_to=customer).similar == ()
    assert retrieval.find_evidence(f"case:{conversation_id}", visible_to=customer) is None


def test_evidence_is_found_again_by_its_id(
    app: Flask, write: Write, operator: Operator, second_operator: Operator
) -> None:
    write("Huts", "Every hut has water.")
    (found,) = retrieval.search("water", visible_to=operator)
    again = retrieval.find_evidence(found.id, visible_to=second_operator)
    assert again is not None
    assert (again.id, again.title, again.content) == (found.id, "Huts", "Every hut has water.")
    stranger = Operator(id="eve", name="Eve", tenant="elsewhere")
    assert retrieval.find_evidence(found.id, visible_to=stranger) is None
    case_id = f"case:{remember(operator)}"
    case = retrieval.find_evidence(case_id, visible_to=second_operator)
    assert case is not None
    assert (case.id, case.trust) == (case_id, Trust.ASSISTIVE)


@pytest.mark.parametrize("nonsense", ["", "article:1", "article:1:2:x", "case:", "case:1:2", "case:9" * 9, "case:٣"])
def test_an_id_that_is_none_finds_nothing(app: Flask, operator: Operator, nonsense: str) -> None:
    assert retrieval.find_evidence(nonsense, visible_to=operator) is None


def test_cases_stand_beside_an_escalation_and_never_lift_it(app: Flask, operator: Operator) -> None:
    remember(operator)
    found = retrieval.ground(PROBLEM, visible_to=operator)
    assert (found.level, found.cause) == (GroundingLevel.ESCALATION, Cause.ASSISTIVE_ONLY_RESULTS)
    assert [each.title for each in found.similar] == ["Broken glass"]
    assert found.evidence == ()
    assert retrieval.ground("tell me a joke", visible_to=operator).similar == ()


class TestWhereEachOperatorHasTheirOwn:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_EMBEDDER": None, "CAIRNLOOP_CASE_SCOPE": "operator"}

    def test_only_the_viewers_cases_are_found(self, app: Flask, operator: Operator, second_operator: Operator) -> None:
        mine, theirs = remember(operator), remember(second_operator, subject="Theirs")
        assert [each.conversation_id for each in retrieval.search_cases("glass", visible_to=operator)] == [mine]
        assert retrieval.find_evidence(f"case:{theirs}", visible_to=operator) is None
        assert retrieval.search_cases("glass", visible_to=SYSTEM) == []
        assert retrieval.search_cases("glass", visible_to=System(id=operator.id)) == []
