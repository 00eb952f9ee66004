-- From schema 2 to 3: recovery as cases with states, evidence, requests and objections; notices and the outbox; policy as
-- owners set it; a picture to compare with a face.
-- A table whose rule changes is made anew under another name, filled, and given its name.

CREATE TABLE portraits (
    user_id   TEXT    PRIMARY KEY REFERENCES users (id),
    jpeg      BLOB    CHECK (length(jpeg) BETWEEN 1 AND 262144),
    id_note   TEXT    NOT NULL DEFAULT '' CHECK (length(id_note) <= 300),
    added_by  TEXT    NOT NULL,
    added_at  INTEGER NOT NULL,
    CHECK (jpeg IS NOT NULL OR id_note <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE links_3 (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose    TEXT    NOT NULL CHECK (purpose IN ('setup', 'invitation', 'password_reset')),
    user_id    TEXT    REFERENCES users (id) CHECK ((user_id IS NULL) = (purpose = 'setup')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO links_3 (token_hash, purpose, user_id, created_at, expires_at)
    SELECT token_hash, purpose, user_id, created_at, expires_at FROM links;
DROP TABLE links;
ALTER TABLE links_3 RENAME TO links;
CREATE INDEX links_by_user ON links (user_id, expires_at);

CREATE TABLE enrolment_windows_3 (
    user_id      TEXT    PRIMARY KEY REFERENCES users (id),
    case_number  TEXT    REFERENCES cases (number),
    pass_hash    BLOB    CHECK (length(pass_hash) = 32),
    wrong_passes INTEGER NOT NULL DEFAULT 0,
    opened_at    INTEGER NOT NULL,
    closes_at    INTEGER NOT NULL,
    CHECK (pass_hash IS NULL OR case_number IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO enrolment_windows_3 (user_id, case_number, pass_hash, wrong_passes, opened_at, closes_at)
    SELECT user_id, case_number, pass_hash, wrong_passes, opened_at, closes_at FROM enrolment_windows;
DROP TABLE enrolment_windows;
ALTER TABLE enrolment_windows_3 RENAME TO enrolment_windows;


CREATE TABLE cases_3 (
    number          TEXT    PRIMARY KEY,
    year            INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    user_id         TEXT    NOT NULL REFERENCES users (id),
    opened_by_id    TEXT             REFERENCES users (id),
    opened_by       TEXT    NOT NULL,
    opened_at       INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('opened', 'verified', 'escalated', 'awaiting_approval', 'approved',
                                                      'acted', 'awaiting_enrolment', 'disavowed', 'recovered', 'refused',
                                                      'approval_denied', 'expired', 'incident', 'reassured')),
    state_at        INTEGER NOT NULL,
    version         INTEGER NOT NULL DEFAULT 1,
    urgent          INTEGER NOT NULL DEFAULT 0 CHECK (urgent IN (0, 1)),
    for_owner       INTEGER NOT NULL DEFAULT 0 CHECK (for_owner IN (0, 1)),
    reason          TEXT    NOT NULL CHECK (length(reason) > 0),
    ticket          TEXT,
    act             TEXT             CHECK (act IN ('walked_through', 'reset', 'codes', 'password', 'reset_and_password',
                                                    'email', 'invitation')),
    acted_by_id     TEXT             REFERENCES users (id),
    acted_by        TEXT,
    acted_at        INTEGER          CHECK ((acted_at IS NULL) = (act IS NULL)),
    codes_left      INTEGER NOT NULL DEFAULT 0,
    factors_removed INTEGER NOT NULL DEFAULT 0,
    sessions_ended  INTEGER NOT NULL DEFAULT 0,
    due_at          INTEGER          CHECK ((due_at IS NULL) = (state = 'disavowed' OR closed_at IS NOT NULL)),
    closed_at       INTEGER          CHECK ((closed_at IS NOT NULL) = (state IN ('recovered', 'refused', 'approval_denied',
                                                                                 'expired', 'incident', 'reassured'))),
    closed_by       TEXT,
    note            TEXT    NOT NULL DEFAULT '',
    refusal         TEXT             CHECK ((refusal IS NOT NULL) = (state = 'refused')),
    signals         TEXT    NOT NULL DEFAULT '',
    follow_up_at    INTEGER,
    follow_up_by    TEXT,
    asks            TEXT             CHECK (asks IN ('owner', 'admin', 'time', 'approved')),
    waits_for       TEXT    AS (CASE
        WHEN state = 'disavowed' THEN 'frozen'
        WHEN closed_at IS NOT NULL THEN NULL
        WHEN asks = 'approved' OR state = 'approved' THEN 'approved'
        WHEN asks IS NOT NULL OR state = 'awaiting_approval' THEN 'approval_' || coalesce(asks, 'owner')
        WHEN state IN ('acted', 'awaiting_enrolment') THEN 'person'
        WHEN state = 'escalated' OR for_owner = 1 THEN 'owner'
        ELSE 'open' END),
    pressing_at     INTEGER AS (coalesce(due_at, state_at)),
    UNIQUE (year, count)
) STRICT, WITHOUT ROWID;
-- Every case of schema 2 began with the reset itself, by whoever opened it; the host has no id.
INSERT INTO cases_3 (number, year, count, user_id, opened_by_id, opened_by, opened_at, state, state_at, version, reason, ticket,
                     act, acted_by_id, acted_by, acted_at, codes_left, factors_removed, sessions_ended, due_at, closed_at, closed_by)
    SELECT number, year, count, user_id, opener, opened_by, opened_at, state, coalesce(closed_at, opened_at), 1, reason, ticket,
           'reset', opener, opened_by, opened_at, codes_left, factors_removed, sessions_ended,
           CASE WHEN closed_at IS NULL THEN window_closes_at END, closed_at, NULL
    FROM (SELECT k.*, (SELECT a.actor_id FROM audit a WHERE a.case_number = k.number AND a.action = 'recovery.case_opened'
                       ORDER BY a.seq LIMIT 1) AS opener FROM cases k);
CREATE TABLE case_evidence (
    id             INTEGER PRIMARY KEY,
    case_number    TEXT    NOT NULL REFERENCES cases (number),
    kind           TEXT    NOT NULL CHECK (kind IN ('video_call', 'known_number', 'manager_ticket', 'in_person', 'host')),
    note           TEXT    NOT NULL,
    voucher        TEXT,
    ticket         TEXT,
    number         TEXT             CHECK (number IS NULL OR kind = 'known_number'),
    known_since    INTEGER          CHECK ((known_since IS NULL) = (number IS NULL)),
    requested_at   INTEGER          CHECK ((requested_at IS NULL) = (number IS NULL)),
    recorded_by_id TEXT             REFERENCES users (id),
    recorded_by    TEXT    NOT NULL,
    recorded_at    INTEGER NOT NULL
) STRICT;
INSERT INTO case_evidence (case_number, kind, note, voucher, ticket, number, known_since, requested_at, recorded_by_id, recorded_by,
                           recorded_at)
    SELECT k.number, k.evidence, k.evidence_note, k.voucher, k.ticket, NULL, NULL, NULL, n.opened_by_id, k.opened_by, k.opened_at
    FROM cases k JOIN cases_3 n USING (number) ORDER BY k.opened_at, k.number;
DROP TABLE cases;
ALTER TABLE cases_3 RENAME TO cases;
CREATE INDEX cases_by_user ON cases (user_id, opened_at);
CREATE UNIQUE INDEX one_open_case ON cases (user_id) WHERE closed_at IS NULL;
CREATE INDEX cases_open ON cases (state, state_at) WHERE closed_at IS NULL;
CREATE INDEX cases_due ON cases (due_at) WHERE closed_at IS NULL;
CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX cases_on_board ON cases (waits_for, urgent, pressing_at) WHERE waits_for IS NOT NULL;
CREATE INDEX cases_of_opener ON cases (opened_by_id, urgent, pressing_at) WHERE waits_for = 'open';
CREATE INDEX cases_closed_in ON cases (state, closed_at) WHERE closed_at IS NOT NULL;
CREATE TRIGGER cases_are_kept BEFORE DELETE ON cases BEGIN
    SELECT raise(ABORT, 'cases are closed, never deleted');
END;
CREATE TRIGGER cases_stay_closed BEFORE UPDATE OF state ON cases
WHEN old.closed_at IS NOT NULL AND new.state NOT IN ('disavowed', 'incident') BEGIN
    SELECT raise(ABORT, 'a case that was closed is not opened again');
END;
CREATE INDEX case_evidence_by_case ON case_evidence (case_number, id);
CREATE TRIGGER case_evidence_is_kept_update BEFORE UPDATE ON case_evidence BEGIN
    SELECT raise(ABORT, 'evidence is added, never changed');
END;
CREATE TRIGGER case_evidence_is_kept_delete BEFORE DELETE ON case_evidence BEGIN
    SELECT raise(ABORT, 'evidence is added, never deleted');
END;

CREATE TABLE case_requests (
    id           TEXT    PRIMARY KEY CHECK (length(id) = 36),
    case_number  TEXT    NOT NULL REFERENCES cases (number),
    grant_name   TEXT    NOT NULL CHECK (grant_name IN ('reset_factors', 'issue_codes', 'temporary_password', 'invite_again',
                                                        'change_email', 'readmit')),
    argument     TEXT    NOT NULL DEFAULT '',
    needs        TEXT    NOT NULL CHECK (needs IN ('owner', 'admin', 'time')),
    asked_by_id  TEXT    NOT NULL REFERENCES users (id),
    asked_by     TEXT    NOT NULL,
    asked_at     INTEGER NOT NULL,
    reason       TEXT    NOT NULL CHECK (length(reason) > 0),
    ticket       TEXT,
    evidence_id  INTEGER NOT NULL REFERENCES case_evidence (id),
    case_version INTEGER NOT NULL,
    signals      TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'approved', 'denied', 'used', 'lapsed')),
    valid_until  INTEGER NOT NULL,
    ripe_at      INTEGER          CHECK ((ripe_at IS NOT NULL) = (needs = 'time')),
    decided_by_id TEXT            REFERENCES users (id),
    decided_by   TEXT,
    decided_at   INTEGER          CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    note         TEXT    NOT NULL DEFAULT '',
    CHECK (decided_by_id IS NULL OR decided_by_id <> asked_by_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_requests_by_case ON case_requests (case_number, asked_at);
CREATE UNIQUE INDEX one_live_request ON case_requests (case_number) WHERE state IN ('waiting', 'approved');
CREATE INDEX case_requests_live ON case_requests (valid_until) WHERE state IN ('waiting', 'approved');
CREATE INDEX case_requests_by_asker ON case_requests (asked_by_id) WHERE state IN ('waiting', 'approved');
CREATE TRIGGER case_requests_noted_insert AFTER INSERT ON case_requests BEGIN
    UPDATE cases SET asks = (SELECT CASE state WHEN 'approved' THEN 'approved' ELSE needs END FROM case_requests
                             WHERE case_number = new.case_number AND state IN ('waiting', 'approved'))
    WHERE number = new.case_number;
END;
CREATE TRIGGER case_requests_noted_update AFTER UPDATE OF state ON case_requests BEGIN
    UPDATE cases SET asks = (SELECT CASE state WHEN 'approved' THEN 'approved' ELSE needs END FROM case_requests
                             WHERE case_number = new.case_number AND state IN ('waiting', 'approved'))
    WHERE number = new.case_number;
END;

CREATE TABLE freezes (
    user_id     TEXT    PRIMARY KEY REFERENCES users (id),
    case_number TEXT    NOT NULL REFERENCES cases (number),
    frozen_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;


CREATE TABLE notices (
    id              TEXT    PRIMARY KEY CHECK (length(id) = 36),
    user_id         TEXT    NOT NULL REFERENCES users (id),
    kind            TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    case_number     TEXT,
    facts           TEXT    NOT NULL,
    objection_until INTEGER,
    objected_at     INTEGER,
    seen_at         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_by_user ON notices (user_id, at);
CREATE INDEX notices_unseen ON notices (user_id, at) WHERE seen_at IS NULL;
CREATE INDEX notices_by_case ON notices (case_number) WHERE case_number IS NOT NULL;

CREATE TABLE outbox (
    id         TEXT    PRIMARY KEY CHECK (length(id) = 36),
    kind       TEXT    NOT NULL CHECK (kind IN ('notice', 'invitation', 'password_reset', 'alert', 'message')),
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
CREATE INDEX outbox_due ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (address, id) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_of_user ON outbox (user_id, id) WHERE notice_id IS NULL;
CREATE INDEX outbox_by_notice ON outbox (notice_id) WHERE notice_id IS NOT NULL;
CREATE INDEX outbox_by_case ON outbox (case_number) WHERE case_number IS NOT NULL;
CREATE INDEX outbox_given_up ON outbox (given_up_at) WHERE given_up_at IS NOT NULL;

CREATE TABLE policy_settings (
    id           INTEGER PRIMARY KEY,
    key          TEXT    NOT NULL,
    value        INTEGER NOT NULL,
    set_by       TEXT    NOT NULL,
    set_at       INTEGER NOT NULL,
    effective_at INTEGER NOT NULL CHECK (effective_at >= set_at),
    cancelled_at INTEGER
) STRICT;

CREATE INDEX audit_signs ON audit (target_id, action)
    WHERE action IN ('user.sign_in_failed', 'mfa.challenge_failed', 'user.email_changed', 'user.contact_changed',
                     'user.password_changed', 'user.password_reset_completed', 'user.password_set_by_admin',
                     'mfa.factor_admin_reset', 'mfa.backup_codes_issued_by_admin');
CREATE INDEX audit_new_devices ON audit (target_id)
    WHERE action = 'user.signed_in' AND instr(body, '"new_device":true') > 0;

CREATE TABLE link_requests (
    key   TEXT    PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_requests_by_time ON link_requests (since);
