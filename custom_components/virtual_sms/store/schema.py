"""The tables of a number's file, version by version."""

MIGRATIONS = (
    """
    CREATE TABLE inbound (
        message_id TEXT PRIMARY KEY, received_at REAL NOT NULL,
        late INTEGER NOT NULL, content TEXT
    ) WITHOUT ROWID;
    CREATE INDEX inbound_untold ON inbound (received_at) WHERE content IS NOT NULL;
    CREATE INDEX inbound_age ON inbound (received_at);
    CREATE TABLE outbound (
        message_id TEXT PRIMARY KEY, provider_id TEXT, recipient TEXT NOT NULL,
        content TEXT, status TEXT NOT NULL, told TEXT, reason TEXT, error_code TEXT,
        at REAL NOT NULL, created_at REAL NOT NULL, deadline REAL NOT NULL,
        settled_at REAL, next_at REAL,
        checked_at REAL NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 1
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX outbound_provider ON outbound (provider_id);
    CREATE INDEX outbound_due ON outbound (next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX outbound_open ON outbound (checked_at) WHERE open;
    CREATE INDEX outbound_age ON outbound (created_at);
    CREATE TABLE early (
        provider_id TEXT, status TEXT, reason TEXT, error_code TEXT, at REAL,
        PRIMARY KEY (provider_id, status)
    ) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID
    """,
    # What is under way is shown after every write, so it must not be counted then.
    """
    INSERT INTO fact SELECT 'pending', count(*) FROM outbound WHERE open;
    CREATE TRIGGER pending_begun AFTER INSERT ON outbound WHEN new.open BEGIN
        UPDATE fact SET value = value + 1 WHERE name = 'pending';
    END;
    CREATE TRIGGER pending_ended AFTER UPDATE OF open ON outbound
    WHEN new.open != old.open BEGIN
        UPDATE fact SET value = value + new.open - old.open WHERE name = 'pending';
    END
    """,
    # `sent_after`: the provider's time from which its record may show the message.
    # `asked`: how often a provider was asked where it stands. `cost` in millionths.
    """
    ALTER TABLE outbound ADD COLUMN sent_after REAL;
    ALTER TABLE outbound ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE outbound ADD COLUMN segments INTEGER;
    ALTER TABLE outbound ADD COLUMN encoding TEXT;
    ALTER TABLE outbound ADD COLUMN contact TEXT;
    ALTER TABLE outbound ADD COLUMN cost INTEGER;
    ALTER TABLE outbound ADD COLUMN currency TEXT;
    ALTER TABLE inbound ADD COLUMN correspondent TEXT;
    ALTER TABLE inbound ADD COLUMN contact TEXT;
    CREATE INDEX outbound_correspondent ON outbound (recipient, created_at);
    CREATE INDEX inbound_correspondent ON inbound (correspondent, received_at);
    CREATE TABLE set_aside (
        record_id TEXT PRIMARY KEY, reason TEXT NOT NULL, since REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE forgotten (id INTEGER PRIMARY KEY)
    """,
    # `text_hash` tells a repeated text. A `cost` is a final one, asked for when its time
    # in `price_due_at` has come. No column gets another name, for what is saved of a
    # damaged file of an older version is found by the old one; an index had two before.
    # Receipts that overtook the answer to their own message are not kept any more:
    # where a message stands is asked for anyway.
    """
    DROP TABLE early;
    ALTER TABLE outbound DROP COLUMN asked;
    ALTER TABLE outbound ADD COLUMN critical INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE outbound ADD COLUMN text_hash TEXT;
    ALTER TABLE outbound ADD COLUMN price_due_at REAL;
    CREATE INDEX outbound_unpriced ON outbound (price_due_at)
    WHERE price_due_at IS NOT NULL;
    DROP INDEX IF EXISTS inbound_untold;
    CREATE INDEX IF NOT EXISTS inbound_unpublished ON inbound (received_at)
    WHERE content IS NOT NULL;
    UPDATE inbound SET correspondent = content ->> 1 WHERE json_valid(content);
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
        month TEXT, currency TEXT, amount INTEGER NOT NULL,
        PRIMARY KEY (month, currency)
    ) WITHOUT ROWID
    """,
    # What is kept to be read. A message without a status came in. `content` is that of
    # the other two tables as it is, for not every text passes through sqlite's own JSON.
    """
    CREATE TABLE message (
        message_id TEXT PRIMARY KEY, correspondent TEXT NOT NULL, at REAL NOT NULL,
        content TEXT NOT NULL, status TEXT, reason TEXT, segments INTEGER,
        unread INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE INDEX message_correspondent ON message (correspondent, at);
    CREATE INDEX message_unread ON message (correspondent) WHERE unread;
    CREATE INDEX message_age ON message (at);
    CREATE TRIGGER message_received AFTER INSERT ON inbound
    WHEN new.content IS NOT NULL
    AND (SELECT value FROM fact WHERE name = 'keep_conversations') > 0 BEGIN
        INSERT OR IGNORE INTO message (message_id, correspondent, at, content, unread)
        VALUES (new.message_id, new.correspondent, new.received_at, new.content, 1);
    END;
    CREATE TRIGGER message_queued AFTER INSERT ON outbound
    WHEN new.content IS NOT NULL
    AND (SELECT value FROM fact WHERE name = 'keep_conversations') > 0 BEGIN
        INSERT OR IGNORE INTO message (
            message_id, correspondent, at, content, status, segments
        ) VALUES (
            new.message_id, new.recipient, new.at, new.content, new.status, new.segments
        );
    END;
    CREATE TRIGGER message_moved AFTER UPDATE OF status ON outbound
    WHEN new.status != old.status BEGIN
        UPDATE message SET status = new.status, reason = new.reason
        WHERE message_id = new.message_id;
    END
    """,
    # A call of ours has an id of our own, one of somebody else's that of the provider.
    # No text is kept, for no call is made twice: `wanted` is the key that is asked for.
    """
    CREATE TABLE call (
        call_id TEXT PRIMARY KEY, provider_id TEXT, direction TEXT NOT NULL,
        correspondent TEXT NOT NULL, contact TEXT, wanted TEXT,
        state TEXT NOT NULL, published TEXT, digits TEXT, duration INTEGER,
        reason TEXT, error_code TEXT, at REAL NOT NULL, created_at REAL NOT NULL,
        sent_after REAL, settled_at REAL, next_at REAL
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX call_provider ON call (provider_id);
    CREATE INDEX call_due ON call (next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX call_age ON call (created_at)
    """,
    # A file that came with a message goes with it; what is in it lies in a folder.
    """
    CREATE TABLE attachment (
        message_id TEXT, part INTEGER, blob TEXT NOT NULL, content_type TEXT NOT NULL,
        size INTEGER NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (message_id, part)
    ) WITHOUT ROWID;
    CREATE INDEX attachment_age ON attachment (at);
    CREATE TRIGGER attachment_gone AFTER DELETE ON message BEGIN
        DELETE FROM attachment WHERE message_id = old.message_id;
    END
    """,
    # Each index is a page that is written with every message. What is asked for once a
    # day, or once a start, needs none; what is due is found among the few that are open;
    # and what has no id of the provider's is not looked up by it. `open` is in its own
    # index, so that of a damaged file this can be read without the rows.
    """
    DROP INDEX inbound_unpublished;
    DROP INDEX outbound_due;
    DROP INDEX outbound_open;
    CREATE INDEX outbound_open ON outbound (checked_at, open) WHERE open;
    DROP INDEX inbound_correspondent;
    DROP INDEX outbound_correspondent;
    DROP INDEX message_age;
    DROP INDEX message_unread;
    DROP INDEX message_correspondent;
    CREATE INDEX message_correspondent ON message (correspondent, at, message_id, unread);
    DROP INDEX outbound_provider;
    CREATE UNIQUE INDEX outbound_provider ON outbound (provider_id)
    WHERE provider_id IS NOT NULL;
    DROP INDEX outbound_age;
    CREATE INDEX outbound_age ON outbound (created_at, segments)
    """,
    # One page less for each index again. How old a message is matters once a start and
    # once a day. What has no price yet stands among what is open, from its beginning. The
    # ids of the provider's are in no order: by the day of their message, new ones stand
    # together, at the end. And an id that came in is named twice, so that it outlives the
    # damage of a page: by its message, or where that is not `kept` by the index.
    """
    DROP INDEX outbound_age;
    DROP INDEX outbound_unpriced;
    DROP INDEX outbound_open;
    CREATE INDEX outbound_open
    ON outbound (checked_at, message_id, open, price_due_at)
    WHERE open OR price_due_at IS NOT NULL;
    UPDATE outbound SET price_due_at = created_at WHERE open AND provider_id IS NULL;
    ALTER TABLE outbound ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
    DROP INDEX outbound_provider;
    CREATE UNIQUE INDEX outbound_provider ON outbound (day, provider_id)
    WHERE provider_id IS NOT NULL;
    ALTER TABLE inbound ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
    DROP INDEX inbound_age;
    CREATE INDEX inbound_age ON inbound (received_at, kept) WHERE NOT kept;
    CREATE TRIGGER message_gone AFTER DELETE ON message WHEN old.status IS NULL BEGIN
        UPDATE inbound SET kept = 0 WHERE message_id = old.message_id AND kept;
    END
    """,
)
"""Each brings the file from one version to the next; never change a released one."""
