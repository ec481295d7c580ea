"""What the host's policy decides over every proposal, and what the desk makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_cairnloop import (
    SYSTEM,
    Customer,
    Decision,
    DraftKind,
    DraftProposal,
    InvalidTransition,
    Operator,
    Sentence,
    conversations,
    drafts,
)
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.core.database import session
from flask_cairnloop.drafts import DraftStatus
from flask_cairnloop.signals import draft_denied
from tests.drafts.test_generation import Generator, Policy, all_drafts, said, use

WATER = "Is there drinking water in the hut?"
VAGUE = "hut drinking prices reservations?"
FOREIGN = "What is the largest state in the US?"
RunJobs = Callable[[], int]


@pytest.fixture
def thread(huts: int, customer: Customer) -> int:
    """Mina asks what an article answers."""
    return conversations.receive_from(customer, WATER).conversation_id


def allow(monkeypatch: pytest.MonkeyPatch) -> Policy:
    policy = Policy(Decision.ALLOW)
    use(monkeypatch, automation_policy=policy)
    return policy


def test_an_automatic_answer_says_that_it_is_one(
    thread: int, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch)
    drafts.generate(thread)
    (sent,) = [each for each in conversations.timeline(thread, visible_to=operator) if each.role == "agent"]
    assert sent.automatic
    assert sent.details["automatic"] is True
    (draft,) = all_drafts()
    assert (draft.status, draft.decision, draft.decided_by) == (DraftStatus.APPROVED, Decision.ALLOW, SYSTEM.id)


def test_an_operators_answer_is_no_automatic_one(thread: int, operator: Operator) -> None:
    assert not conversations.reply(thread, "Yes.", by=operator).automatic


@pytest.mark.parametrize(("asks", "kind"), [(VAGUE, DraftKind.CLARIFICATION), (FOREIGN, DraftKind.ESCALATION)])
def test_questions_back_and_words_to_operators_pass_the_policy_too(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch, asks: str, kind: DraftKind
) -> None:
    policy = allow(monkeypatch)
    thread = conversations.receive_from(customer, asks).conversation_id
    drafts.generate(thread)
    assert [proposal["kind"] for proposal, _ in policy.asked] == [kind]
    (draft,) = all_drafts()
    is_sent = kind == DraftKind.CLARIFICATION
    assert (draft.kind, draft.status == DraftStatus.APPROVED) == (kind, is_sent)
    assert [role for role, _ in said(thread, operator)].count("agent") == is_sent


def test_a_question_back_that_went_out_by_itself_is_the_only_one_in_a_row(
    huts: int, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch)
    thread = conversations.receive_from(customer, VAGUE).conversation_id
    drafts.generate(thread)
    conversations.receive_from(customer, "hut water reservations?")
    drafts.generate(thread)
    assert [each.kind for each in all_drafts()] == [DraftKind.CLARIFICATION, DraftKind.ESCALATION]
    assert all_drafts()[1].status == DraftStatus.PENDING


def test_a_generator_that_would_ask_again_is_not_let(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Generator(lambda grounding: DraftProposal(DraftKind.CLARIFICATION, (Sentence("Which hut?"),)))
    use(monkeypatch, draft_generator=asking)
    thread = conversations.receive_from(customer, WATER).conversation_id
    first = drafts.generate(thread)
    assert first is not None
    assert first.kind == DraftKind.CLARIFICATION
    drafts.edit(first.id, "Which hut?", by=operator)
    conversations.receive_from(customer, "The one with drinking water in winter")
    second = drafts.generate(thread)
    assert second is not None
    assert (second.kind, second.body, second.sentences) == (DraftKind.ESCALATION, "", [])
    assert second.grounding["cause"] == "clarification_limit_reached"


def test_allow_never_sends_a_sentence_its_evidence_does_not_carry(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch)
    bluff = Generator(
        lambda g: DraftProposal(
            DraftKind.REPLY,
            (
                Sentence("Every hut has drinking water in summer.", (g.evidence[0].id,)),
                Sentence("Breakfast costs 12 euros in all 48 of them.", (g.evidence[0].id,)),
            ),
        )
    )
    use(monkeypatch, draft_generator=bluff)
    thread = conversations.receive_from(customer, WATER).conversation_id
    draft = drafts.generate(thread)
    assert draft is not None
    assert (draft.is_supported, draft.status, draft.decision) == (
        False,
        DraftStatus.PENDING,
        Decision.REQUIRE_APPROVAL,
    )
    assert [role for role, _ in said(thread, operator)] == ["user"]


def test_nothing_automatic_follows_once_a_person_was_asked_for(
    thread: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch)
    conversations.hand_over(thread, by=customer)
    draft = drafts.generate(thread)
    assert draft is not None  # still prepared for the operators
    assert (draft.status, draft.decision) == (DraftStatus.PENDING, Decision.REQUIRE_APPROVAL)
    conversations.hand_back(thread, by=operator)
    conversations.receive_from(customer, "And where do dogs sleep, in the winter room?")
    drafts.generate(thread)
    assert [role for role, _ in said(thread, operator)] == ["user", "system", "user", "agent"]


def test_a_note_between_the_lines_of_a_burst_counts_as_a_person(
    thread: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch)
    conversations.add_note(thread, "I look into this.", by=operator)
    conversations.receive_from(customer, "In summer, I mean.")
    draft = drafts.generate(thread)
    assert draft is not None
    assert draft.status == DraftStatus.PENDING


def test_deny_leaves_a_number_a_line_in_the_audit_log_and_a_signal(
    app: Flask, thread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, automation_policy=Policy(Decision.DENY))
    heard: list[dict[str, Any]] = []

    def listen(sender: object, metadata: dict[str, Any], **_: object) -> None:
        heard.append(metadata)

    with draft_denied.connected_to(listen, sender=app):
        assert drafts.generate(thread) is None
    assert all_drafts() == []
    (metadata,) = heard
    assert set(metadata) == {"conversation_id", "tenant", "actor", "grounding", "evidence"}
    assert (metadata["conversation_id"], metadata["actor"]) == (thread, SYSTEM)
    assert metadata["grounding"]["question"] == WATER
    assert metadata["evidence"][0]["title"] == "Huts"
    assert list(session().scalars(select(AuditEvent.action).where(AuditEvent.action.startswith("draft.")))) == [
        "draft.deny"
    ]


class TestAskingForAnother:
    def test_it_takes_the_place_of_the_one_that_waits(self, thread: int, operator: Operator, run_jobs: RunJobs) -> None:
        run_jobs()
        first = drafts.pending_for(thread)
        assert first is not None
        drafts.regenerate(thread, by=operator)
        assert drafts.pending_for(thread) is None
        assert drafts.is_on_its_way(thread)
        run_jobs()
        assert not drafts.is_on_its_way(thread)
        second = drafts.pending_for(thread)
        assert second is not None
        assert (first.status, first.decided_by) == (DraftStatus.SUPERSEDED, "ada")
        assert drafts.was_asked_again(first)
        assert (second.requested_by, second.answers_sequence) == ("ada", first.answers_sequence)

    def test_it_works_after_the_last_one_was_discarded(
        self, thread: int, operator: Operator, run_jobs: RunJobs
    ) -> None:
        run_jobs()
        drafts.discard(all_drafts()[0].id, by=operator)
        drafts.regenerate(thread, by=operator)
        run_jobs()
        assert [each.status for each in all_drafts()] == [DraftStatus.DISCARDED, DraftStatus.PENDING]

    def test_asking_twice_makes_one(
        self, thread: int, operator: Operator, second_operator: Operator, run_jobs: RunJobs
    ) -> None:
        run_jobs()
        for by in (operator, second_operator):
            drafts.regenerate(thread, by=by)
        run_jobs()
        newest = drafts.pending_for(thread)
        assert newest is not None
        request = drafts.Request("sam", after=all_drafts()[0].id)
        assert drafts.generate(thread, request=request) is None  # the same wish, carried out a second time
        assert len(all_drafts()) == 2

    def test_it_is_never_sent_without_whoever_asked(
        self, thread: int, operator: Operator, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_jobs()
        allow(monkeypatch)
        drafts.regenerate(thread, by=operator)
        run_jobs()
        draft = drafts.pending_for(thread)
        assert draft is not None
        assert draft.decision == Decision.REQUIRE_APPROVAL

    def test_it_is_shown_although_the_policy_would_keep_it_back(
        self, thread: int, operator: Operator, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use(monkeypatch, automation_policy=Policy(Decision.DRAFT_ONLY))
        run_jobs()
        assert drafts.count_waiting(visible_to=operator) == 0
        drafts.regenerate(thread, by=operator)
        run_jobs()
        draft = drafts.pending_for(thread)
        assert draft is not None
        assert draft.is_prompted
        assert drafts.count_waiting(visible_to=operator) == 1
        assert [each.draft.id for each in drafts.longest_waiting(visible_to=operator, limit=5)] == [draft.id]

    @pytest.mark.parametrize("state", ["answered", "resolved", "archived", "thanked"])
    def test_it_is_refused_where_nothing_waits_for_an_answer(
        self, thread: int, customer: Customer, operator: Operator, state: str
    ) -> None:
        if state in {"answered", "thanked"}:
            conversations.reply(thread, "Yes.", by=operator)
        if state == "thanked":
            conversations.receive_from(customer, "Thank you!")
        if state in {"resolved", "archived"}:
            conversations.resolve(thread, by=operator)
        if state == "archived":
            conversations.archive(thread, by=operator)
        with pytest.raises(InvalidTransition):
            drafts.regenerate(thread, by=operator)

    def test_it_names_who_asked(self, thread: int, operator: Operator) -> None:
        drafts.regenerate(thread, by=operator)
        query = select(AuditEvent.actor_id, AuditEvent.conversation_id).where(AuditEvent.action == "draft.request")
        assert [tuple(row) for row in session().execute(query)] == [("ada", thread)]
