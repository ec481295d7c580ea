"""The words search knows: how a text is read, and in how many passages each word stands.

Triggers of the migration keep the two tables with the passages, in the same transaction, whoever changes them. Nobody
waits: a change is noted as rows of its own, and whoever finds the fold's lock free adds them up. What is true is the
sum of both tables.
"""

from __future__ import annotations

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from flask_cairnloop.core.database import Base

ENGLISH = "'pg_catalog.english'::regconfig"


def folded(expression: str) -> str:
    """SQL: a text without its accents, and with ``a/b`` as two words (Postgres takes it for a path)."""
    plain = rf"regexp_replace(normalize({expression}, NFKD), '[\u0300-\u036f]', '', 'g')"
    return f"translate({plain}, '/', ' ')"


def lexemes(**weights: str) -> str:
    """SQL of a generated column: the words of each named column, labelled with its weight ``A`` to ``D``."""
    parts = [f"setweight(to_tsvector({ENGLISH}, {folded(column)}), '{label}')" for column, label in weights.items()]
    return " || ".join(parts)


class Term(Base):
    """One word of a tenant's passages. The empty term counts the passages themselves."""

    __tablename__ = "cairnloop_terms"
    __table_args__ = (Index("ix_cairnloop_terms_trigrams", "trigrams", postgresql_using="gin"),)

    tenant: Mapped[str] = mapped_column(primary_key=True)
    #: ``article`` or ``case``.
    corpus: Mapped[str] = mapped_column(primary_key=True)
    term: Mapped[str] = mapped_column(primary_key=True)
    #: How many passages have it.
    passages: Mapped[int]
    #: Its letters three by three, to find it by a mistyped form; empty for what is no word.
    trigrams: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))


class TermChange(Base):
    """A change of ``Term.passages`` that is not yet added up."""

    __tablename__ = "cairnloop_term_changes"
    __table_args__ = (Index("ix_cairnloop_term_changes_term", "tenant", "corpus", "term"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str]
    corpus: Mapped[str]
    term: Mapped[str]
    passages: Mapped[int]
