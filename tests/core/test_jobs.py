from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from flask_cairnloop import Customer, HostFailure, conversations
from flask_cairnloop.core import jobs, scheduler, work
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import ClaimLost
from flask_cairnloop.core.jobs import TASKS, Job, JobState, job

ran: list[str] = []


@pytest.fixture(autouse=True)
def _tasks() -> Iterator[None]:
    before = dict(TASKS)
    ran.clear()
    job("test.note")(lambda word: ran.append(word))
    job("test.fail", max_attempts=2)(_fail)
    job("test.refuse")(_refuse)
    job("test.write")(_write)
    job("test.outside", atomic=False)(_outside)
    yield
    TASKS.clear()
    TASKS.update(before)


def _fail() -> None:
    ran.append("fail")
    raise LookupError("no luck")


def _refuse() -> None:
    raise HostFailure("never", permanent=True)


def _write(ref: str, fail: bool = False) -> None:
    conversations.receive_from(Customer(ref=ref), "Written by a job")
    if fail:
        raise LookupError


def _outside() -> None:
    ran.append("outside")
    with transaction():
        work.complete()


def promise(name: str, **args: object) -> int:
    with transaction():
        return TASKS[name].enqueue(**args)  # type: ignore[arg-type]


def row(job_id: int) -> Job:
    return session().scalars(select(Job).where(Job.id == job_id).execution_options(populate_existing=True)).one()


def test_a_promise_runs_once_and_is_done(app: Flask, run_jobs: Callable[[], int]) -> None:
    job_id = promise("test.note", word="hello")
    assert run_jobs() == 1
    assert run_jobs() == 0
    assert ran == ["hello"]
    assert row(job_id).state == JobState.DONE


def test_a_delayed_promise_waits_for_its_time(app: Flask, run_jobs: Callable[[], int]) -> None:
    promise("test.note", word="later", delay=60)
    assert run_jobs() == 0
    with at(now() + timedelta(seconds=61)):
        assert run_jobs() == 1


def test_the_same_key_again_moves_the_waiting_promise(app: Flask, run_jobs: Callable[[], int]) -> None:
    first = promise("test.note", word="first", unique_key="k", delay=60)
    second = promise("test.note", word="second", unique_key="k")
    assert first == second
    run_jobs()
    assert ran == ["second"]
    assert promise("test.note", word="third", unique_key="k") != first


def test_effects_and_the_mark_done_are_saved_together(app: Flask, run_jobs: Callable[[], int]) -> None:
    job_id = promise("test.write", ref="mina", fail=True)
    run_jobs()
    assert row(job_id).state == JobState.WAITING
    assert session().scalars(select(conversations.Message)).all() == []
    session().rollback()


def test_a_failure_is_tried_again_later_and_given_up_at_last(app: Flask, run_jobs: Callable[[], int]) -> None:
    job_id = promise("test.fail")
    run_jobs()
    assert row(job_id).state == JobState.WAITING
    assert row(job_id).run_at > now()
    session().rollback()
    with at(now() + timedelta(hours=1)):
        run_jobs()
    assert row(job_id).state == JobState.FAILED
    assert row(job_id).last_error == "LookupError: no luck"
    assert ran == ["fail", "fail"]


def test_a_permanent_refusal_is_not_tried_again(app: Flask, run_jobs: Callable[[], int]) -> None:
    job_id = promise("test.refuse")
    run_jobs()
    assert row(job_id).state == JobState.FAILED


def test_an_unknown_job_says_so(app: Flask, run_jobs: Callable[[], int]) -> None:
    job_id = promise("test.note", word="x")
    with transaction() as db:
        db.execute(update(Job).values(name="gone"))
    run_jobs()
    assert row(job_id).last_error == "no job is named 'gone'"


def test_a_living_workers_claim_is_left_alone(app: Flask) -> None:
    job_id = promise("test.note", word="x")
    with work.as_worker() as worker:
        assert work._take(job_id, worker.key()) is not None
        assert work.recover() == 0
        assert row(job_id).state == JobState.RUNNING
        session().rollback()


def test_a_dead_workers_claim_is_taken_over(app: Flask, run_jobs: Callable[[], int]) -> None:
    job_id = promise("test.note", word="x")
    with work.as_worker() as worker:
        assert work._take(job_id, worker.key()) is not None
    assert work.recover() == 1
    assert run_jobs() == 1
    assert ran == ["x"]


def test_a_worker_that_lost_its_claim_saves_nothing(app: Flask) -> None:
    job_id = promise("test.write", ref="mina")
    with work.as_worker() as first, work.as_worker() as second:
        claim = work._take(job_id, first.key())
        assert claim is not None
        with transaction() as db:
            db.execute(update(Job).values(claimed_by=second.key(), attempts=2))
        token = work._claim.set(claim)

        def finish() -> None:
            with transaction():
                _write("mina")
                work.complete()

        with pytest.raises(ClaimLost):
            finish()
        work._claim.reset(token)
    assert session().scalars(select(conversations.Message)).all() == []
    session().rollback()


def test_a_worker_whose_connection_was_cut_takes_a_new_lock(app: Flask) -> None:
    with work.as_worker() as worker:
        before = worker.key()
        session().execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key"),
            {"key": before},
        )
        session().rollback()
        assert worker.key() != before


def test_a_job_that_kills_its_worker_every_time_is_given_up(app: Flask) -> None:
    job_id = promise("test.fail")
    for _ in range(2):
        with work.as_worker() as worker, at(now() + timedelta(hours=1)):
            assert work._take(job_id, worker.key()) is not None
        work.recover()
    assert row(job_id).state == JobState.FAILED
    assert "died" in (row(job_id).last_error or "")


def test_a_retry_gives_way_to_a_newer_promise_of_the_same_key(app: Flask) -> None:
    job_id = promise("test.note", word="old", unique_key="k")
    with work.as_worker() as worker:
        assert work._take(job_id, worker.key()) is not None
        newer = promise("test.note", word="new", unique_key="k")
    work.recover()
    assert row(job_id).state == JobState.FAILED
    assert row(newer).state == JobState.WAITING


def test_the_scheduler_hands_over_what_redis_forgot(app: Flask) -> None:
    promise("test.note", word="x")
    assert jobs.queue().count == 1
    jobs.queue().empty()
    assert scheduler.push_due() == 0, "it may still be on its way"
    with at(now() + timedelta(seconds=6)):
        assert scheduler.push_due() == 1
    assert jobs.queue().count == 1


def test_the_scheduler_sleeps_until_the_next_promise(app: Flask) -> None:
    assert scheduler.tick() == jobs.SCHEDULER_SLEEP
    promise("test.note", word="x", delay=0.5)
    assert 0 < scheduler.tick() <= 0.5


def test_a_job_of_its_own_transactions_settles_itself(app: Flask, run_jobs: Callable[[], int]) -> None:
    job_id = promise("test.outside")
    run_jobs()
    assert ran == ["outside"]
    assert row(job_id).state == JobState.DONE


def test_two_jobs_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two jobs"):
        job("test.note")(lambda: None)


def test_what_was_given_up_waits_again_once_with_every_attempt(app: Flask, run_jobs: Callable[[], int]) -> None:
    failed, other = promise("test.refuse"), promise("test.fail")
    run_jobs()
    with transaction() as db:
        db.execute(update(Job).where(Job.id == other).values(state=JobState.FAILED))
    assert work.replay(["test.refuse"]) == 1
    assert work.replay(["test.refuse"]) == 0
    assert (row(failed).state, row(failed).attempts) == (JobState.WAITING, 0)
    assert row(other).state == JobState.FAILED
    run_jobs()
    assert row(failed).state == JobState.FAILED


def test_one_waiting_job_stands_in_for_all_of_its_key(app: Flask) -> None:
    ids = []
    for _ in range(3):
        with transaction() as db:
            ids.append(TASKS["test.note"].enqueue(unique_key="same", word="x"))
            db.execute(update(Job).where(Job.id == ids[-1]).values(state=JobState.FAILED))
    assert work.replay(["test.note"]) == 1
    assert [row(job_id).state for job_id in ids] == [JobState.DONE, JobState.DONE, JobState.WAITING]


def test_a_job_may_take_the_time_it_asked_for(app: Flask) -> None:
    job("test.long", timeout=300)(lambda: None)
    promise("test.long")
    (carried,) = jobs.queue().jobs
    assert carried.timeout == 305
