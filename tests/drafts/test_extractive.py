from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flask_cairnloop import DraftKind
from flask_cairnloop.conversations import Priority
from flask_cairnloop.drafts import ConversationView
from flask_cairnloop.drafts.engines.extractive import ExtractiveGenerator
from flask_cairnloop.drafts.wording import lay_out
from flask_cairnloop.retrieval import Cause, Evidence, Grounding, GroundingLevel, Reason, Trust

WATER = "Every hut has water. In winter you melt snow. Bring a pot of your own."


def passage(content: str, *, support: float = 0.8, article: int = 1, chunk: int = 1, title: str = "Huts") -> Evidence:
    return Evidence(
        id=f"article:{article}:1:{chunk}",
        title=title,
        heading="",
        content=content,
        trust=Trust.CANONICAL,
        score=0.05,
        article_id=article,
        revision_id=1,
        chunk_id=chunk,
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        reasons=(Reason.WORDS,),
        lexical_rank=1,
        semantic_rank=None,
        similarity=None,
        support=support,
    )


def grounding(
    *evidence: Evidence,
    question: str = "Is there water in winter?",
    level: GroundingLevel = GroundingLevel.STRONG,
) -> Grounding:
    return Grounding(question, level, 0.8, evidence, Cause.CANONICAL_RESULTS, "Judged.")


def view(name: str | None = "Mina Park") -> ConversationView:
    return ConversationView(
        id=1,
        tenant="",
        subject="Huts",
        customer_ref="mina",
        customer_name=name,
        priority=Priority.NORMAL,
        tags=(),
        question="Is there water in winter?",
        messages=(),
        answers_sequence=1,
        asks_sequence=1,
        just_clarified=False,
    )


@pytest.fixture
def generator() -> ExtractiveGenerator:
    return ExtractiveGenerator()


def test_a_reply_quotes_what_answers_between_courtesies(generator: ExtractiveGenerator) -> None:
    proposal = generator.generate_draft(view(), grounding(passage(WATER)))
    assert proposal.kind == DraftKind.REPLY
    assert lay_out(proposal.sentences) == (
        "Hi Mina,\n\nEvery hut has water. In winter you melt snow. Bring a pot of your own.\n\n"
        "If this does not solve it, just reply here and we will look into it."
    )


def test_every_quoted_sentence_names_its_evidence_and_courtesies_none(generator: ExtractiveGenerator) -> None:
    proposal = generator.generate_draft(view(), grounding(passage(WATER)))
    cited = [sentence.evidence_ids for sentence in proposal.sentences]
    assert cited == [(), *[("article:1:1:1",)] * 3, ()]


def test_the_same_question_and_evidence_give_the_same_draft(generator: ExtractiveGenerator) -> None:
    evidence = [passage(WATER), passage("Snow is clean. Water is better.", chunk=2, article=2, title="Snow")]
    proposals = {generator.generate_draft(view(), grounding(*evidence)) for _ in range(5)}
    assert len(proposals) == 1


def test_a_customer_without_a_name_is_greeted_too(generator: ExtractiveGenerator) -> None:
    assert generator.generate_draft(view(None), grounding(passage(WATER))).sentences[0].text == "Hello,"


def test_a_reply_stays_short_and_keeps_the_sentences_around_the_match(generator: ExtractiveGenerator) -> None:
    filler = " ".join(f"Sentence {number} speaks about rope and rock and weather." for number in range(30))
    content = f"{filler} In winter there is water from snow. Melt it slowly. {filler}"
    proposal = generator.generate_draft(view(), grounding(passage(content)))
    body = lay_out(proposal.sentences)
    assert "In winter there is water from snow. Melt it slowly." in body
    assert len(body.split()) <= 90


def test_a_sentence_without_end_is_ended(generator: ExtractiveGenerator) -> None:
    proposal = generator.generate_draft(view(), grounding(passage("In winter " + "water and snow " * 60)))
    body = lay_out(proposal.sentences)
    assert len(body.split()) <= 90
    assert " …\n\n" in body


def test_a_much_weaker_second_passage_is_not_quoted(generator: ExtractiveGenerator) -> None:
    strong = passage("Every hut has water.")
    weak = passage("Water is wet.", support=0.5, article=2, chunk=9, title="Water")
    near = passage("Water is free.", support=0.7, article=2, chunk=9, title="Water")
    assert "wet" not in lay_out(generator.generate_draft(view(), grounding(strong, weak)).sentences)
    assert "free" in lay_out(generator.generate_draft(view(), grounding(strong, near)).sentences)


def test_pieces_of_one_article_are_quoted_in_its_own_order(generator: ExtractiveGenerator) -> None:
    later, earlier = passage("Then water boils.", chunk=6), passage("First melt water.", chunk=5, support=0.7)
    body = lay_out(generator.generate_draft(view(), grounding(later, earlier)).sentences)
    assert body.index("First melt") < body.index("Then water")


def test_what_two_pieces_share_is_said_once(generator: ExtractiveGenerator) -> None:
    first, second = passage(WATER), passage("Bring a pot of your own. Water is free.", chunk=2, support=0.75)
    body = lay_out(generator.generate_draft(view(), grounding(first, second)).sentences)
    assert body.count("Bring a pot") == 1


def test_steps_keep_a_line_each(generator: ExtractiveGenerator) -> None:
    content = "To get water in winter:\n1. Fill a pot with snow.\n2. Melt it slowly."
    body = lay_out(generator.generate_draft(view(), grounding(passage(content))).sentences)
    assert "To get water in winter:\n\n1. Fill a pot with snow.\n2. Melt it slowly.\n\n" in body


def test_an_announcement_without_its_list_is_left_out(generator: ExtractiveGenerator) -> None:
    content = f"In winter you melt snow for water. These are the huts with water in winter:\n{'- hut ' * 100}"
    body = lay_out(generator.generate_draft(view(), grounding(passage(content))).sentences)
    assert "winter:" not in body


def test_a_tables_rows_are_quoted_only_where_there_is_nothing_else(generator: ExtractiveGenerator) -> None:
    table = "Season | Water\nwinter | snow\nsummer | tap"
    mixed = lay_out(generator.generate_draft(view(), grounding(passage(f"In winter, melt snow.\n{table}"))).sentences)
    assert "melt snow" in mixed
    assert " | " not in mixed
    assert "winter | snow" in lay_out(generator.generate_draft(view(), grounding(passage(table))).sentences)


CODE = """
Runs are started by a push. From a terminal:

trailmark run checks --commit 4f1c2ab --force

In the file of the pipeline:

pipelines:
  checks:
    branches: [main]

A run takes a minute.
"""


def test_code_and_its_announcement_are_no_sentences(generator: ExtractiveGenerator) -> None:
    asked = grounding(passage(CODE), question="How is a run of the checks pipeline started?")
    quoted = [each.text for each in generator.generate_draft(view(), asked).sentences if each.evidence_ids]
    assert quoted == ["Runs are started by a push.", "A run takes a minute."]


def test_code_is_quoted_where_there_is_nothing_else(generator: ExtractiveGenerator) -> None:
    asked = grounding(passage("trailmark run checks --force"), question="How do I run the checks?")
    assert "trailmark run checks --force" in lay_out(generator.generate_draft(view(), asked).sentences)


def test_a_passage_of_code_alone_gives_way_to_one_of_words(generator: ExtractiveGenerator) -> None:
    code, words = passage("trailmark run checks --force"), passage("A push runs the checks.", chunk=2, support=0.75)
    asked = grounding(code, words, question="How do I run the checks?")
    quoted = [each.text for each in generator.generate_draft(view(), asked).sentences if each.evidence_ids]
    assert quoted == ["A push runs the checks."]


@pytest.mark.parametrize("name", ["https://evil.example", "$100", "A" * 40, "<b>Mina</b>"])
def test_what_is_no_name_is_not_called(generator: ExtractiveGenerator, name: str) -> None:
    assert generator.generate_draft(view(name), grounding(passage(WATER))).sentences[0].text == "Hello,"


def test_weaker_evidence_asks_one_question(generator: ExtractiveGenerator) -> None:
    two = [passage(WATER), passage("Snow.", article=2, chunk=2, title="Snow", support=0.7)]
    proposal = generator.generate_draft(view(), grounding(*two, level=GroundingLevel.CLARIFICATION))
    assert proposal.kind == DraftKind.CLARIFICATION
    assert proposal.missing
    assert lay_out(proposal.sentences) == (
        "Hi Mina,\n\nSo that we help with the right thing: is this about “Huts” or “Snow”?"
    )
    one = generator.generate_draft(view(), grounding(two[0], level=GroundingLevel.CLARIFICATION))
    assert lay_out(one.sentences).endswith("is this about “Huts”, or something else?")


def test_no_evidence_says_nothing_to_the_customer(generator: ExtractiveGenerator) -> None:
    proposal = generator.generate_draft(view(), grounding(passage(WATER), level=GroundingLevel.ESCALATION))
    assert proposal.kind == DraftKind.ESCALATION
    assert proposal.sentences == ()
    assert "needs a person" in proposal.summary
    assert "“Huts”" in proposal.summary
