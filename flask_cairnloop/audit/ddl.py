"""What the database itself refuses: changing the past."""

from __future__ import annotations

UPGRADE = (
    """
    CREATE FUNCTION cairnloop.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cairnloop.cairnloop_audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION cairnloop.refuse_change()
    """,
)
DOWNGRADE = (
    "DROP TRIGGER IF EXISTS append_only ON cairnloop.cairnloop_audit_events",
    "DROP FUNCTION IF EXISTS cairnloop.refuse_change() CASCADE",
)
