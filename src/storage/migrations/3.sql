-- From schema 3 to 4: what entries say can be erased; checkpoints that are kept elsewhere; the trail sent to other places.

ALTER TABLE instance ADD COLUMN pruned_through INTEGER NOT NULL DEFAULT 0 CHECK (pruned_through >= 0);

DROP TRIGGER audit_is_append_only_update;
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN
    SELECT raise(ABORT, 'an audit entry is never changed')
    WHERE new.salt IS NOT NULL OR new.body IS NOT NULL OR old.seq > (SELECT pruned_through FROM instance)
       OR old.action IN ('audit.checkpoint_signed', 'audit.key_rotated', 'audit.pruned', 'backup.created', 'system.initialised',
                         'system.restored', 'system.upgraded', 'system.key_exported', 'system.clock_stepped')
       OR (new.seq, new.lineage, new.at, new.action, new.outcome, new.actor_kind, new.actor_id, new.target_kind, new.target_id,
           new.case_number, new.body_digest, new.prev_hash, new.hash)
          IS NOT (old.seq, old.lineage, old.at, old.action, old.outcome, old.actor_kind, old.actor_id, old.target_kind,
                  old.target_id, old.case_number, old.body_digest, old.prev_hash, old.hash);
END;

CREATE TABLE outbox_4 (
    id         TEXT    PRIMARY KEY CHECK (length(id) = 36),
    kind       TEXT    NOT NULL CHECK (kind IN ('notice', 'invitation', 'password_reset', 'alert', 'message', 'anchor')),
    user_id    TEXT             REFERENCES users (id),
    notice_id  TEXT             REFERENCES notices (id) CHECK ((notice_id IS NOT NULL) = (kind = 'notice')),
    case_number TEXT,
    address    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    may_object INTEGER NOT NULL DEFAULT 0 CHECK (may_object IN (0, 1)),
    subject    TEXT    NOT NULL DEFAULT '',
    text       TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    INTEGER,
    sent_at    INTEGER,
    given_up_at INTEGER,
    error      TEXT    NOT NULL DEFAULT '',
    CHECK ((next_at IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL)),
    CHECK (sent_at IS NULL OR given_up_at IS NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_4 (id, kind, user_id, notice_id, case_number, address, name, may_object, subject, text, created_at, attempts, next_at,
                      sent_at, given_up_at, error)
    SELECT id, kind, user_id, notice_id, case_number, address, name, may_object, subject, text, created_at, attempts, next_at,
           sent_at, given_up_at, error FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_4 RENAME TO outbox;
CREATE INDEX outbox_due ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (address, id) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_of_user ON outbox (user_id, id) WHERE notice_id IS NULL;
CREATE INDEX outbox_by_notice ON outbox (notice_id) WHERE notice_id IS NOT NULL;
CREATE INDEX outbox_by_case ON outbox (case_number) WHERE case_number IS NOT NULL;
CREATE INDEX outbox_given_up ON outbox (given_up_at) WHERE given_up_at IS NOT NULL;
CREATE INDEX outbox_anchors ON outbox (created_at) WHERE kind = 'anchor';
CREATE TABLE anchors (
    way       TEXT    PRIMARY KEY CHECK (way IN ('mail', 'syslog', 'printed')),
    seq       INTEGER NOT NULL CHECK (seq > 0),
    signed_at INTEGER NOT NULL,
    sent_at   INTEGER NOT NULL,
    whom      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE streams (
    receiver      TEXT    PRIMARY KEY CHECK (receiver IN ('syslog', 'webhook')),
    place         TEXT    NOT NULL,
    sent          INTEGER NOT NULL CHECK (sent >= 0),
    sent_at       INTEGER,
    failing_since INTEGER,
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER CHECK ((next_at IS NULL) = (failing_since IS NULL)),
    error         TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
