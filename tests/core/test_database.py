from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_cairnloop import Customer, conversations, joined
from flask_cairnloop.core.database import after_commit, session, transaction
from flask_cairnloop.core.errors import TransactionDoomed
from flask_cairnloop.core.jobs import Job


def stored() -> int:
    count = session().execute(select(func.count()).select_from(conversations.Message)).scalar_one()
    session().rollback()
    return count


def test_nested_blocks_are_saved_by_the_outermost_one(app: Flask, customer: Customer) -> None:
    with transaction():
        with transaction():
            conversations.receive_from(customer, "Hello")
        session().flush()
        with app.app_context():
            assert stored() == 0, "nothing is visible before the outermost block ends"
    assert stored() == 1


def test_an_error_in_an_inner_block_undoes_the_whole_even_when_it_is_caught(app: Flask, customer: Customer) -> None:
    def swallow() -> None:
        with transaction():
            conversations.receive_from(customer, "Hello")
            try:
                with transaction():
                    raise LookupError
            except LookupError:
                pass

    with pytest.raises(TransactionDoomed):
        swallow()
    assert stored() == 0
    conversations.receive_from(customer, "Hello again")
    assert stored() == 1, "the next transaction starts clean"


def test_what_waits_for_the_commit_is_dropped_by_a_rollback(app: Flask) -> None:
    ran: list[str] = []

    def fail() -> None:
        with transaction():
            after_commit(lambda: ran.append("lost"))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with transaction():
        after_commit(lambda: ran.append("kept"))
        assert ran == []
    assert ran == ["kept"]


def test_what_follows_a_commit_may_fail_without_failing_the_change(app: Flask, customer: Customer) -> None:
    with transaction():
        conversations.receive_from(customer, "Hello")
        after_commit(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert stored() == 1


def test_after_commit_outside_a_transaction_is_refused(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="inside transaction"):
        after_commit(lambda: None)


def test_joined_verbs_are_saved_by_the_host(app: Flask, customer: Customer) -> None:
    ran: list[str] = []
    with joined():
        conversations.receive_from(customer, "Hello")
        with transaction():
            after_commit(lambda: ran.append("after"))
    assert ran == []
    with app.app_context():
        assert stored() == 0
    session().commit()
    assert ran == ["after"]
    assert stored() == 1


def test_the_hosts_rollback_takes_joined_verbs_with_it(app: Flask, customer: Customer) -> None:
    ran: list[str] = []
    with joined():
        conversations.receive_from(customer, "Hello")
        with transaction():
            after_commit(lambda: ran.append("after"))
    session().rollback()
    session().commit()
    assert ran == []
    assert stored() == 0


def test_a_verb_works_after_the_hosts_login_has_read(app: Flask, customer: Customer) -> None:
    session().execute(select(1))
    conversations.receive_from(customer, "Hello")
    assert stored() == 1


def test_a_promise_is_saved_with_the_change_and_not_without_it(app: Flask, customer: Customer) -> None:
    def fail() -> None:
        with transaction():
            conversations.receive_from(customer, "Hello")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert session().execute(select(func.count()).select_from(Job)).scalar_one() == 0
    conversations.receive_from(customer, "Hello")
    assert session().execute(select(func.count()).select_from(Job)).scalar_one() == 1
