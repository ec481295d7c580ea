from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_cairnloop import (
    SYSTEM,
    AutomationPolicy,
    Customer,
    Decision,
    DraftGenerator,
    DraftKind,
    DraftProposal,
    HostFailure,
    Operator,
    Sentence,
    conversations,
    drafts,
)
from flask_cairnloop.conversations import MessageRole
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import session
from flask_cairnloop.drafts import ConversationView, Draft, DraftStatus, generation
from flask_cairnloop.retrieval import Grounding
from tests.drafts.conftest import Ask

RunJobs = Callable[[], int]
WATER = "Every hut has drinking water in summer."


def use(monkeypatch: pytest.MonkeyPatch, **behaviours: object) -> None:
    """Let the app's settings hold these behaviours."""
    for name, behaviour in behaviours.items():
        monkeypatch.setitem(vars(settings._get_current_object()), name, behaviour)  # type: ignore[attr-defined]


class Policy(AutomationPolicy):
    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []

    def decide(self, proposal: Mapping[str, Any], opts: Mapping[str, Any]) -> Decision | str:
        self.asked.append((proposal, opts))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


class Generator(DraftGenerator):
    def __init__(self, answer: Callable[[Grounding], DraftProposal]) -> None:
        self.answer = answer
        self.seen: list[ConversationView] = []

    def generate_draft(self, conversation: ConversationView, grounding: Grounding) -> DraftProposal:
        self.seen.append(conversation)
        return self.answer(grounding)


def all_drafts() -> list[Draft]:
    return list(session().scalars(select(Draft).order_by(Draft.id).execution_options(populate_existing=True)))


def said(conversation_id: int, operator: Operator) -> list[tuple[str, str]]:
    return [(each.role, each.content) for each in conversations.timeline(conversation_id, visible_to=operator)]


def test_a_question_becomes_a_cited_reply_that_waits(draft: Draft, huts: int, operator: Operator) -> None:
    assert (draft.kind, draft.status, draft.decision) == (
        DraftKind.REPLY,
        DraftStatus.PENDING,
        Decision.REQUIRE_APPROVAL,
    )
    assert "Every hut has drinking water in summer." in draft.body
    quoted = next(each for each in draft.sentences if "drinking water" in each["text"])
    assert quoted["evidence"] == [draft.evidence[0]["id"]]
    assert draft.evidence[0]["article_id"] == huts
    assert draft.grounding["level"] == "strong"
    assert draft.grounding["question"] == "Is there drinking water in the hut?"
    assert (draft.generator, draft.note) == ("ExtractiveGenerator", None)
    assert said(draft.conversation_id, operator) == [("user", "Is there drinking water in the hut?")]


def test_a_burst_of_messages_makes_one_draft(ask: Ask) -> None:
    draft = ask("Hello!", "We go to the hut on Friday.", "Is there drinking water in the hut?")
    assert draft is not None
    assert len(all_drafts()) == 1
    assert draft.answers_sequence == 3


def test_weak_evidence_asks_and_no_evidence_passes_on(ask: Ask, second_customer: Customer) -> None:
    asking = ask("hut drinking prices reservations?")
    assert asking is not None
    assert asking.kind == DraftKind.CLARIFICATION
    passing = ask("What is the largest state in the US?", by=second_customer)
    assert passing is not None
    assert (passing.kind, passing.body, passing.sentences) == (DraftKind.ESCALATION, "", [])
    assert "needs a person" in passing.summary


def test_thanks_need_no_draft(ask: Ask) -> None:
    assert ask("Thank you so much!") is None
    assert all_drafts() == []


def test_after_one_question_back_a_person_is_asked(ask: Ask, operator: Operator) -> None:
    first = ask("hut drinking prices reservations?")
    assert first is not None
    drafts.approve(first.id, by=operator)
    second = ask("hut water reservations?")
    assert second is not None
    assert (second.kind, second.grounding["cause"]) == (DraftKind.ESCALATION, "clarification_limit_reached")


def test_a_newer_message_replaces_the_waiting_draft(draft: Draft, ask: Ask) -> None:
    newer = ask("And where do dogs sleep, in the winter room?")
    assert newer is not None
    assert newer.id != draft.id
    assert "winter room" in newer.body
    assert [each.status for each in all_drafts()] == [DraftStatus.SUPERSEDED, DraftStatus.PENDING]


def test_the_same_job_twice_makes_one_draft(draft: Draft) -> None:
    assert drafts.generate(draft.conversation_id) is None
    assert len(all_drafts()) == 1


def test_a_discarded_draft_is_not_made_again(draft: Draft, operator: Operator) -> None:
    drafts.discard(draft.id, by=operator)
    assert drafts.generate(draft.conversation_id) is None
    assert drafts.pending_for(draft.conversation_id) is None


@pytest.mark.parametrize("meanwhile", ["reply", "resolve", "message"])
def test_a_draft_overtaken_while_it_was_made_is_dropped(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    judge = generation.ground

    def interrupted(question: str, **options: Any) -> Grounding:
        if meanwhile == "reply":
            conversations.reply(thread, "Yes.", by=operator)
        elif meanwhile == "resolve":
            conversations.resolve(thread, by=operator)
        else:
            conversations.receive_from(customer, "In winter, I mean.")
        return judge(question, **options)

    monkeypatch.setattr(generation, "ground", interrupted)
    assert drafts.generate(thread) is None
    assert all_drafts() == []


def test_nothing_is_drafted_for_a_resolved_conversation(
    draft: Draft, operator: Operator, customer: Customer, run_jobs: RunJobs, ask: Ask
) -> None:
    conversations.resolve(draft.conversation_id, by=operator)
    run_jobs()
    assert [each.status for each in all_drafts()] == [DraftStatus.SUPERSEDED]
    assert drafts.generate(draft.conversation_id) is None
    again = ask("Is there drinking water in the other hut?")
    assert again is not None
    assert again.conversation_id == draft.conversation_id


def test_an_operators_answer_sets_the_waiting_draft_aside(draft: Draft, operator: Operator) -> None:
    conversations.reply(draft.conversation_id, "Yes, there is.", by=operator)
    (kept,) = all_drafts()
    assert (kept.status, kept.decided_by) == (DraftStatus.SUPERSEDED, "ada")


def test_internal_notes_never_reach_a_generator(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Generator(lambda grounding: DraftProposal(DraftKind.ESCALATION, ()))
    use(monkeypatch, draft_generator=generator)
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    conversations.add_note(thread, "This customer never pays.", by=operator)
    assert drafts.generate(thread) is not None
    assert [each.content for each in generator.seen[0].messages] == ["Is there drinking water in the hut?"]


def propose(kind: DraftKind, *sentences: tuple[str, tuple[str, ...]]) -> Callable[[Grounding], DraftProposal]:
    return lambda grounding: DraftProposal(kind, tuple(Sentence(text, ids) for text, ids in sentences), confidence=0.5)


def refuse(grounding: Grounding) -> DraftProposal:
    raise HostFailure("the model is overloaded")


FAULTY: dict[str, Callable[[Grounding], Any]] = {
    "overloaded": refuse,
    "ZeroDivisionError": lambda grounding: 1 / 0,
    "no DraftProposal": lambda grounding: "Yes.",
    "does not exist": propose(DraftKind.REPLY, ("Yes.", ("article:9:9:9",))),
    "without citing": propose(DraftKind.REPLY, ("Yes.", ())),
    "malformed": propose(DraftKind.REPLY, ("", ())),
    "0 characters": propose(DraftKind.CLARIFICATION),
}


@pytest.mark.parametrize("why", FAULTY)
def test_a_generator_that_fails_is_replaced_and_the_card_says_so(
    huts: int, customer: Customer, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    use(monkeypatch, draft_generator=Generator(FAULTY[why]))
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    draft = drafts.generate(thread)
    assert draft is not None
    assert (draft.generator, draft.kind) == ("ExtractiveGenerator", DraftKind.REPLY)
    assert draft.note is not None
    assert why in draft.note


def test_a_generator_may_not_answer_on_weak_evidence(
    huts: int, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bluff = Generator(lambda g: DraftProposal(DraftKind.REPLY, (Sentence("Yes!", (g.evidence[0].id,)),)))
    use(monkeypatch, draft_generator=bluff)
    thread = conversations.receive_from(customer, "hut drinking prices reservations?").conversation_id
    draft = drafts.generate(thread)
    assert draft is not None
    assert draft.kind == DraftKind.CLARIFICATION
    assert draft.note is not None


def test_a_good_generators_words_are_kept(huts: int, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    good = Generator(lambda g: DraftProposal(DraftKind.REPLY, (Sentence(WATER, (g.evidence[0].id,)),), confidence=7))
    use(monkeypatch, draft_generator=good)
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    draft = drafts.generate(thread)
    assert draft is not None
    assert (draft.generator, draft.body, draft.confidence, draft.note) == ("Generator", WATER, 1.0, None)


def test_the_policy_is_told_what_it_decides_about(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy("draft_only")
    use(monkeypatch, automation_policy=policy)
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    conversations.tag(thread, ["huts"], by=operator)
    draft = drafts.generate(thread)
    assert draft is not None
    assert (draft.decision, draft.is_prompted) == (Decision.DRAFT_ONLY, False)
    ((proposal, opts),) = policy.asked
    assert set(proposal) == {"kind", "grounding", "confidence", "risk_tier"}
    assert (proposal["kind"], proposal["grounding"], proposal["risk_tier"]) == ("reply", "strong", "low_write")
    assert opts["conversation"].tags == ("huts",)
    assert opts["context"] == {}


@pytest.mark.parametrize("answer", ["maybe", None, True, ValueError("broken"), HostFailure("no")], ids=repr)
def test_whatever_is_no_decision_waits_for_an_operator(
    huts: int, customer: Customer, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    use(monkeypatch, automation_policy=Policy(answer))
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    draft = drafts.generate(thread)
    assert draft is not None
    assert (draft.status, draft.decision) == (DraftStatus.PENDING, Decision.REQUIRE_APPROVAL)


def test_deny_keeps_nothing(huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, automation_policy=Policy(Decision.DENY))
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    assert drafts.generate(thread) is None
    assert all_drafts() == []
    assert len(said(thread, operator)) == 1


def test_allow_sends_once_as_the_desk_itself(
    app: Flask, huts: int, customer: Customer, operator: Operator, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, automation_policy=Policy("allow"))
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    run_jobs()
    drafts.generate(thread)
    (draft,) = all_drafts()
    assert (draft.status, draft.decided_by) == (DraftStatus.APPROVED, SYSTEM.id)
    sent = conversations.timeline(thread, visible_to=operator)[1:]
    assert [(each.role, each.author_id, each.id) for each in sent] == [(MessageRole.AGENT, "system", draft.message_id)]


@pytest.mark.parametrize("sign", ["typing", "note"])
def test_allow_waits_where_a_person_is_at_it(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    use(monkeypatch, automation_policy=Policy("allow"))
    thread = conversations.receive_from(customer, "Is there drinking water in the hut?").conversation_id
    if sign == "typing":
        conversations.mark_typing(thread, by=operator)
    else:
        conversations.add_note(thread, "I take this one.", by=operator)
    draft = drafts.generate(thread)
    assert draft is not None
    assert (draft.status, draft.decision) == (DraftStatus.PENDING, Decision.REQUIRE_APPROVAL)
    assert [role for role, _ in said(thread, operator)].count("agent") == 0


def test_allow_never_sends_a_word_meant_for_operators(
    huts: int, customer: Customer, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, automation_policy=Policy("allow"))
    thread = conversations.receive_from(customer, "What is the largest state in the US?").conversation_id
    draft = drafts.generate(thread)
    assert draft is not None
    assert (draft.kind, draft.status) == (DraftKind.ESCALATION, DraftStatus.PENDING)
    assert len(said(thread, operator)) == 1
