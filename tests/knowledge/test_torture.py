from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

from flask import Flask
from sqlalchemy import func, select

from flask_cairnloop import Operator, knowledge, retrieval
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.jobs import Job, JobState
from flask_cairnloop.retrieval.results import Evidence
from tests.knowledge.storm import edition, faults_in

PROCESSES = 4
SECONDS = 60 if os.environ.get("CAIRNLOOP_TORTURE") == "full" else 8
STORM = "tests.knowledge.storm"


def indexed() -> int:
    """How many times an article was indexed."""
    with transaction() as db:
        done = select(func.count()).where(Job.name == "index_revision", Job.state == JobState.DONE)
        return db.scalar(done) or 0


def wait_until_indexed(times: int) -> int:
    deadline = time.monotonic() + 60
    while indexed() < times:
        assert time.monotonic() < deadline, "the worker does nothing"
        time.sleep(0.05)
    return indexed()


def test_a_torn_answer_would_be_noticed() -> None:
    def seen(article_id: int, revision_id: int, words: str) -> Evidence:
        return cast("Evidence", SimpleNamespace(article_id=article_id, revision_id=revision_id, content=words))

    whole = [seen(1, 5, "edition 3"), seen(1, 5, "edition 3"), seen(2, 6, "edition 9")]
    assert faults_in(whole, [1, 2]) == []
    assert faults_in(whole, [1, 2, 3]) == ["article 3 is not there"]
    assert faults_in([*whole, seen(1, 7, "edition 4")], [1, 2]) == ["article 1 has [(5, '3'), (7, '4')]"]


def test_four_processes_edit_publish_and_search_and_none_sees_two_editions_or_none(
    app: Flask,
    operator: Operator,
    fresh_database: str,
    redis_url: str,
    run_jobs: Callable[[], int],
    processes: Callable[..., subprocess.Popen[bytes]],
) -> None:
    articles = []
    for title in ("Alder", "Birch", "Cedar"):
        article = knowledge.create_article(title, by=operator)
        knowledge.save_draft(article.id, edition(0), by=operator)
        articles.append(knowledge.publish(article.id, by=operator).id)
    run_jobs()
    place = {"TEST_DATABASE_URL": fresh_database, "TEST_REDIS_URL": redis_url}
    knowledge.rename_article(articles[0], "Oak", by=operator)
    processes("-m", "flask", "--app", STORM, "cairnloop", "worker", **place)
    before = wait_until_indexed(4)
    storm = [
        subprocess.Popen(
            [sys.executable, "-m", STORM, str(SECONDS), str(seed)], env=os.environ | place, stdout=subprocess.PIPE
        )
        for seed in range(PROCESSES)
    ]
    try:
        reports = [json.loads(each.communicate(timeout=SECONDS + 60)[0]) for each in storm]
    finally:
        for each in storm:
            each.kill()
    did: Counter[str] = sum((Counter(report["did"]) for report in reports), Counter())
    assert [fault for report in reports for fault in report["faults"]] == []
    assert did["searched"] > 20
    assert did["published"] > 5
    assert indexed() > before + 5, "the worker took part"
    run_jobs()
    found = retrieval.search("ridge", visible_to=operator, limit=50, per_article=5)
    assert faults_in(found, articles) == []
