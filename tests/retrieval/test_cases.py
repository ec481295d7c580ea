from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from flask_cairnloop import Customer, HostFailure, Operator, conversations, retrieval
from flask_cairnloop.conversations import Conversation, ConversationStatus
from flask_cairnloop.core import work
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.core.jobs import Job
from flask_cairnloop.host.people import SYSTEM
from flask_cairnloop.knowledge.rebuilding import rebuild
from flask_cairnloop.retrieval import ResolvedCase, cases
from flask_cairnloop.retrieval.models import CaseVector
from tests.support.embedders import WordEmbedder

Settle = Callable[..., int]
Jobs = Callable[[], int]
ROUNDS = 40 if os.environ.get("CAIRNLOOP_TORTURE") == "full" else 4


@pytest.fixture
def host_settings(embedder: WordEmbedder) -> dict[str, object]:
    return {"CAIRNLOOP_EMBEDDER": embedder, "CAIRNLOOP_DRAFT_DELAY": 3600}


@pytest.fixture
def settle(app: Flask, customer: Customer, operator: Operator) -> Settle:
    """A thread in which a customer asked and an operator answered, resolved."""

    def talk(*said: str, by: Customer = customer, subject: str | None = None) -> int:
        thread = conversations.open_conversation(by, by=by, subject=subject).id
        for number, words in enumerate(said or ("My tent leaks at the seam.", "Seal the seam with silicone.")):
            if number % 2:
                conversations.reply(thread, words, by=operator)
            else:
                conversations.receive(thread, words, by=by)
        conversations.resolve(thread, by=operator)
        return thread

    return talk


def found() -> list[ResolvedCase]:
    session().rollback()
    return list(session().scalars(select(ResolvedCase).order_by(ResolvedCase.id)))


def models() -> list[tuple[int, str]]:
    rows = session().execute(select(CaseVector.case_id, CaseVector.model))
    return [(row.case_id, row.model) for row in rows]


def test_a_resolved_conversation_becomes_a_case(
    settle: Settle, run_jobs: Jobs, operator: Operator, embedder: WordEmbedder
) -> None:
    thread = settle(
        "Hello!",
        "Hi Mina, what can I do for you?",
        "Hi Ada,\nmy tent leaks at the seam. What helps?\nThanks!",
        "Hello Mina,\nSeal the seam with silicone and let it dry for a night.\n\nBest regards\nAda",
        "That worked, thanks a lot!",
        "You're welcome! Let us know if anything else comes up. Have a lovely day!",
        subject="A leaking tent",
    )
    assert found() == []
    run_jobs()
    (case,) = found()
    assert (case.conversation_id, case.host_user_id, case.outcome) == (thread, operator.id, "resolved")
    assert case.subject == "A leaking tent"
    assert case.problem == "my tent leaks at the seam. What helps?"
    assert case.resolution == "Seal the seam with silicone and let it dry for a night."
    assert case.actions[-1] == case.resolution
    assert models() == [(case.id, "words")]
    assert embedder.texts == [f"A leaking tent\n{case.problem}"]


def test_it_is_found_by_operators_and_never_as_canon(settle: Settle, run_jobs: Jobs, operator: Operator) -> None:
    thread = settle()
    run_jobs()
    (case,) = retrieval.search_cases("the seam of my tent leaks", visible_to=operator)
    assert (case.conversation_id, case.trust, case.title) == (thread, "assistive", "My tent leaks at the seam.")
    assert retrieval.search("the seam of my tent leaks", visible_to=operator) == []


def test_another_tenant_finds_none(settle: Settle, run_jobs: Jobs) -> None:
    settle()
    run_jobs()
    stranger = Operator(id="ada", name="Ada", tenant="elsewhere")
    assert retrieval.search_cases("the seam of my tent leaks", visible_to=stranger) == []


def test_nothing_private_stands_in_the_rows(
    settle: Settle, run_jobs: Jobs, operator: Operator, embedder: WordEmbedder
) -> None:
    secrets = "mina@example.com, 4111 1111 1111 1111, +41 44 668 18 00, token=a1b2c3d4 and Mina Park or Ada Osei"
    thread = settle(f"Refund {secrets} for the tent", f"Sent to {secrets} today", subject=f"Refund {secrets}")
    conversations.add_note(thread, "The customer is a nuisance", by=operator)
    run_jobs()
    (case,) = found()
    kept = " ".join([case.subject, case.problem, case.resolution, *case.actions, *embedder.texts]).lower()
    for each in ("mina", "park", "ada", "osei", "example", "4111", "668", "a1b2", "nuisance"):
        assert each not in kept, each
    assert case.resolution == "Sent to [e-mail], [card], [phone], token=[token] and [name] or [name] today"


@pytest.mark.parametrize(
    "said", [("Is there water?",), ("Hello!", "Hello!"), ("Thanks", "You're welcome!"), ("mina", "Ada")]
)
def test_a_thread_without_a_question_and_an_answer_is_no_case(
    settle: Settle, run_jobs: Jobs, said: tuple[str, ...]
) -> None:
    settle(*said)
    run_jobs()
    assert found() == []


def test_what_no_person_answered_is_no_case(app: Flask, customer: Customer, operator: Operator, run_jobs: Jobs) -> None:
    thread = conversations.receive_from(customer, "Is there water?").conversation_id
    conversations.reply(thread, "Every hut has water.", by=SYSTEM)
    conversations.resolve(thread, by=operator)
    run_jobs()
    assert found() == []


def test_long_threads_stay_short(settle: Settle, run_jobs: Jobs) -> None:
    settle(*(f"{word} number {n}. " + "word " * 300 for n in range(6) for word in ("Question", "Answer")))
    run_jobs()
    (case,) = found()
    assert len(case.problem) <= 1_000
    assert len(case.resolution) <= 1_500
    assert case.resolution.startswith("Answer number 5.")
    assert [action[:16] for action in case.actions] == ["Answer number 3.", "Answer number 4.", "Answer number 5."]
    assert max(map(len, case.actions)) <= 200


def test_reopening_forgets_the_case_at_once(
    settle: Settle, run_jobs: Jobs, customer: Customer, operator: Operator
) -> None:
    thread = settle()
    run_jobs()
    conversations.receive(thread, "It still leaks.", by=customer)
    assert (found(), models()) == ([], [])
    conversations.reply(thread, "Then we send a new one.", by=operator)
    conversations.resolve(thread, by=operator)
    run_jobs()
    (case,) = found()
    assert (case.outcome, case.resolution) == ("resolved again", "Then we send a new one.")
    assert "It still leaks." in case.problem


def test_a_job_that_ends_after_the_reopening_writes_nothing(settle: Settle, operator: Operator) -> None:
    thread = settle()
    prepared = cases.prepare(thread)
    assert prepared is not None
    conversations.reopen(thread, by=operator)
    with transaction():
        assert not cases.store(prepared)
    conversations.resolve(thread, by=operator)
    with transaction():
        assert not cases.store(prepared)  # its own job follows
    assert found() == []


def test_an_archived_conversation_keeps_its_case(settle: Settle, run_jobs: Jobs, operator: Operator) -> None:
    thread = settle()
    conversations.archive(thread, by=operator)
    run_jobs()
    assert [case.conversation_id for case in found()] == [thread]


def test_unchanged_text_is_not_embedded_again(settle: Settle, run_jobs: Jobs, embedder: WordEmbedder) -> None:
    thread = settle()
    run_jobs()
    (before,) = found()
    assert retrieval.promise_cases([thread]) == 1
    assert run_jobs() == 1
    assert [case.id for case in found()] == [before.id]
    assert len(embedder.texts) == 1


def test_where_the_embedder_fails_words_do_until_it_works(
    settle: Settle, run_jobs: Jobs, operator: Operator, embedder: WordEmbedder
) -> None:
    embedder.failure = HostFailure("away")
    thread = settle()
    run_jobs()
    assert models() == []
    assert cases.without_vectors() == [thread]
    assert retrieval.search_cases("leaking tent seam", visible_to=operator)
    embedder.failure = None
    with at(now() + later()):
        run_jobs()
    assert [model for _, model in models()] == ["words"]
    assert cases.without_vectors() == []


def later() -> timedelta:
    return timedelta(seconds=61)


def test_a_run_that_dies_leaves_nothing_half(settle: Settle, run_jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    settle()
    with monkeypatch.context() as broken:
        broken.setattr(cases, "_store_vector", lambda *_: 1 / 0)
        run_jobs()
    assert (found(), models()) == ([], [])
    with at(now() + later()):
        run_jobs()
    assert len(found()) == len(models()) == 1


def test_every_resolved_conversation_without_a_case_is_promised_one(
    settle: Settle, run_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_cairnloop.retrieval.jobs.PROMISED", 2)
    threads = [settle(by=Customer(ref=f"c{number}", name=None)) for number in range(5)]
    with transaction() as db:
        db.query(Job).delete()
    assert retrieval.promise_cases() == 5
    run_jobs()
    assert [case.conversation_id for case in found()] == threads
    assert retrieval.promise_cases() == 0


def test_another_embedder_is_given_the_cases_it_has_not_seen(settle: Settle, run_jobs: Jobs) -> None:
    for number in range(5):
        settle(by=Customer(ref=f"c{number}", name=None))
    run_jobs()
    other = WordEmbedder("other", 16)
    assert rebuild(retrieval.CASES, other).embedded == 5
    assert sorted(model for _, model in models()) == ["other"] * 5 + ["words"] * 5
    assert len(other.texts) == 1, "the same words are embedded once"
    assert rebuild(retrieval.CASES, other).embedded == 0


def test_a_case_that_goes_while_it_is_embedded_gets_no_vector(
    settle: Settle, run_jobs: Jobs, operator: Operator
) -> None:
    thread = settle()
    run_jobs()

    class Slow(WordEmbedder):
        def embed(self, texts: object) -> list[list[float]]:
            conversations.reopen(thread, by=operator)
            return super().embed(texts)  # type: ignore[arg-type]

    assert rebuild(retrieval.CASES, Slow("slow", 8)).embedded == 0
    assert models() == []


def test_resolving_reopening_and_indexing_at_once_leave_the_case_of_what_stands(
    app: Flask, settle: Settle, operator: Operator
) -> None:
    threads = [settle(by=Customer(ref=f"c{number}", name=None)) for number in range(3)]

    def stir(seed: int) -> None:
        chance = random.Random(seed)
        with app.app_context():
            for _ in range(6):
                verb = chance.choice([conversations.resolve, conversations.reopen])
                try:
                    verb(chance.choice(threads), by=operator)
                except CairnloopError:
                    session().rollback()

    def carry() -> None:
        with app.app_context():
            for _ in range(3):
                work.run_due()

    for number in range(ROUNDS):
        crowd = [threading.Thread(target=stir, args=(10 * number + seed,)) for seed in range(3)]
        crowd += [threading.Thread(target=carry) for _ in range(2)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join(60)
        session().rollback()
        open_now = session().scalars(select(Conversation.id).where(Conversation.status == ConversationStatus.OPEN))
        assert {case.conversation_id for case in found()}.isdisjoint(open_now.all())
    work.run_due()
    session().rollback()
    resolved = session().scalars(select(Conversation.id).where(Conversation.status == ConversationStatus.RESOLVED))
    assert {case.conversation_id for case in found()} == set(resolved.all())
