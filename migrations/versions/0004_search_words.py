"""Search that is tolerant of accents and typing errors, and that knows how common each word is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = {
    "cairnloop_chunks": (("title", "A"), ("heading", "B"), ("content", "C")),
    "cairnloop_resolved_cases": (("subject", "A"), ("problem", "B"), ("resolution", "C")),
}
CORPORA = {"cairnloop_chunks": "article", "cairnloop_resolved_cases": "case"}
ENGLISH = "'pg_catalog.english'::regconfig"
PLAIN = "{}"
FOLDED = r"translate(regexp_replace(normalize({}, NFKD), '[\u0300-\u036f]', '', 'g'), '/', ' ')"

OF_CHUNKS = """
SELECT a.tenant, 'article', word.lexeme, {sign}count(*)
FROM {rows} AS c JOIN cairnloop.cairnloop_articles a ON a.id = c.article_id
CROSS JOIN LATERAL (SELECT lexeme FROM unnest(c.search) UNION ALL SELECT '') AS word GROUP BY a.tenant, word.lexeme
"""
OF_CASES = """
SELECT c.tenant, 'case', word.lexeme, {sign}count(*)
FROM {rows} AS c
CROSS JOIN LATERAL (SELECT lexeme FROM unnest(c.search) UNION ALL SELECT '') AS word GROUP BY c.tenant, word.lexeme
"""
NOTE = "INSERT INTO cairnloop.cairnloop_term_changes (tenant, corpus, term, passages) {}"

# A word gets trigrams where it has no digit and is of a length that people type. Words nobody uses any more go.
FOLD = r"""
CREATE FUNCTION cairnloop.cairnloop_fold_terms() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    tenants text[];
    corpora text[];
    words text[];
BEGIN
    WITH changes AS (DELETE FROM cairnloop.cairnloop_term_changes RETURNING tenant, corpus, term, passages),
    summed AS (
        SELECT tenant, corpus, term, sum(passages) AS passages FROM changes
        GROUP BY tenant, corpus, term HAVING sum(passages) <> 0
    ), added AS (
        INSERT INTO cairnloop.cairnloop_terms AS t (tenant, corpus, term, passages, trigrams)
        SELECT tenant, corpus, term, passages,
            CASE WHEN length(term) BETWEEN 3 AND 30 AND term !~ '[[:digit:][:punct:]]'
            THEN ARRAY(SELECT DISTINCT substr(' ' || term || ' ', n, 3) FROM generate_series(1, length(term)) AS n)
            ELSE '{}' END
        FROM summed ORDER BY tenant, corpus, term
        ON CONFLICT (tenant, corpus, term) DO UPDATE SET passages = t.passages + excluded.passages
        RETURNING t.tenant, t.corpus, t.term, t.passages
    )
    SELECT array_agg(tenant), array_agg(corpus), array_agg(term) INTO tenants, corpora, words
    FROM added WHERE passages <= 0;
    DELETE FROM cairnloop.cairnloop_terms t USING unnest(tenants, corpora, words) AS gone (tenant, corpus, term)
    WHERE t.tenant = gone.tenant AND t.corpus = gone.corpus AND t.term = gone.term;
END $$
"""

# Removals are added up with the next passages that come, so that replacing an article's pieces costs one fold.
COUNT = """
CREATE FUNCTION cairnloop.{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        {less};
    END IF;
    IF TG_OP <> 'DELETE' THEN
        {more};
        IF pg_try_advisory_xact_lock(hashtext('cairnloop_fold_terms')) THEN
            PERFORM cairnloop.cairnloop_fold_terms();
        END IF;
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = {
    "insert": "AFTER INSERT ON cairnloop.{table} REFERENCING NEW TABLE AS new_rows",
    "update": "AFTER UPDATE ON cairnloop.{table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "AFTER DELETE ON cairnloop.{table} REFERENCING OLD TABLE AS old_rows",
}


def upgrade() -> None:
    _search_columns(FOLDED)
    op.create_table(
        "cairnloop_terms",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("corpus", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("passages", sa.BigInteger(), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "corpus", "term", name=op.f("pk_cairnloop_terms")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_terms_trigrams",
        "cairnloop_terms",
        ["trigrams"],
        unique=False,
        schema="cairnloop",
        postgresql_using="gin",
    )
    # Most words go on being words while their counts change: room in the page keeps those updates cheap.
    op.execute("ALTER TABLE cairnloop.cairnloop_terms SET (fillfactor = 70)")
    op.create_table(
        "cairnloop_term_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("corpus", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("passages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cairnloop_term_changes")),
        schema="cairnloop",
    )
    op.create_index(
        "ix_cairnloop_term_changes_term",
        "cairnloop_term_changes",
        ["tenant", "corpus", "term"],
        unique=False,
        schema="cairnloop",
    )
    op.execute(FOLD)
    for table, corpus in CORPORA.items():
        _count(table, f"cairnloop_count_{corpus}_terms", OF_CHUNKS if corpus == "article" else OF_CASES)
    op.execute("SELECT cairnloop.cairnloop_fold_terms()")


def downgrade() -> None:
    for table, corpus in CORPORA.items():
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER cairnloop_count_{name} ON cairnloop.{table}")
        op.execute(f"DROP FUNCTION cairnloop.cairnloop_count_{corpus}_terms()")
    op.execute("DROP FUNCTION cairnloop.cairnloop_fold_terms()")
    op.drop_table("cairnloop_term_changes", schema="cairnloop")
    op.drop_table("cairnloop_terms", schema="cairnloop")
    _search_columns(PLAIN)


def _search_columns(template: str) -> None:
    """Make the columns anew; the tables' rows give them their words."""
    for table, columns in COLUMNS.items():
        words = " || ".join(
            f"setweight(to_tsvector({ENGLISH}, {template.format(column)}), '{label}')" for column, label in columns
        )
        op.drop_column(table, "search", schema="cairnloop")
        op.add_column(
            table,
            sa.Column("search", postgresql.TSVECTOR(), sa.Computed(words, persisted=True), nullable=False),
            schema="cairnloop",
        )
        op.create_index(
            f"ix_{table}_search", table, ["search"], unique=False, schema="cairnloop", postgresql_using="gin"
        )


def _count(table: str, function: str, words: str) -> None:
    less = NOTE.format(words.format(sign="-", rows="old_rows"))
    more = NOTE.format(words.format(sign="", rows="new_rows"))
    op.execute(COUNT.format(name=function, less=less, more=more))
    for name, event in TRIGGERS.items():
        when = event.format(table=table)
        op.execute(f"CREATE TRIGGER cairnloop_count_{name} {when} EXECUTE FUNCTION cairnloop.{function}()")
    op.execute(NOTE.format(words.format(sign="", rows=f"cairnloop.{table}")))
