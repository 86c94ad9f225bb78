"""The tables of trust, consent and limits, as statements of a migration."""

TRUST_TABLES = """
    ALTER TABLE outbound ADD COLUMN critical INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE outbound ADD COLUMN text_hash BLOB;
    ALTER TABLE outbound ADD COLUMN priced_at REAL;
    CREATE TABLE consent (
        correspondent TEXT PRIMARY KEY, stopped_at REAL, source TEXT
    ) WITHOUT ROWID;
    CREATE TABLE code_attempt (
        contact_id TEXT, at REAL, PRIMARY KEY (contact_id, at)
    ) WITHOUT ROWID;
    CREATE TABLE code_used (
        contact_id TEXT, step INTEGER, PRIMARY KEY (contact_id, step)
    ) WITHOUT ROWID;
    CREATE TABLE code_lock (contact_id TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
    CREATE TABLE answer_sent (
        correspondent TEXT, at REAL, PRIMARY KEY (correspondent, at)
    ) WITHOUT ROWID;
    CREATE TABLE cost_month (
        month TEXT PRIMARY KEY, amount REAL NOT NULL, currency TEXT
    ) WITHOUT ROWID
"""
