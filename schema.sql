-- The whole state of one identity provider. Times are microseconds since 1970-01-01T00:00:00Z in UTC.
-- Every table is STRICT and every rule that SQLite can hold stands here as a CHECK, so that a bug above is refused
-- below. Version: PRAGMA user_version. Nothing writes here but the one door in src/storage/writer.rs.

PRAGMA application_id = 0x69647031; -- "idp1"

-- Exactly one row. A key whose fingerprint differs must never be used on this database, and the lineage must always
-- be that of the newest audit entry.
CREATE TABLE instance (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    origin          TEXT    NOT NULL CHECK (length(origin) = 36),
    lineage         TEXT    NOT NULL CHECK (length(lineage) = 16),
    key_fingerprint BLOB    NOT NULL CHECK (length(key_fingerprint) = 16),
    created_at      INTEGER NOT NULL,
    -- 0 after a restore that could not read what was decided since the backup: then nobody but owners gets in until an
    -- owner has confirmed who is here and in which role.
    people_confirmed INTEGER NOT NULL DEFAULT 1 CHECK (people_confirmed IN (0, 1)),
    -- What entries of the trail say is erased up to this number, as an audit.pruned among them records; 0: of none.
    pruned_through  INTEGER NOT NULL DEFAULT 0 CHECK (pruned_through >= 0)
) STRICT;

-- A person. Never deleted: the audit trail points here for ever. An address must never stand twice.
CREATE TABLE users (
    row                  INTEGER PRIMARY KEY,
    id                   TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    email                TEXT    NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name                 TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role                 TEXT    NOT NULL CHECK (role IN ('member', 'auditor', 'admin', 'owner')),
    status               TEXT    NOT NULL CHECK (status IN ('invited', 'active', 'disabled', 'left')),
    -- A PHC string of Argon2id. Absent until the person has chosen one.
    password_hash        TEXT             CHECK (password_hash LIKE '$argon2id$%'),
    must_change_password INTEGER NOT NULL DEFAULT 0 CHECK (must_change_password IN (0, 1)),
    -- Only a temporary password expires.
    password_expires_at  INTEGER          CHECK (password_expires_at IS NULL OR must_change_password = 1),
    -- Rises with every reset, disable, role and password change; a verification that began before is refused. A second
    -- factor is verified inside the transaction, or bound to its set of codes, and needs no epoch.
    credential_epoch     INTEGER NOT NULL DEFAULT 0,
    created_at           INTEGER NOT NULL,
    last_sign_in_at      INTEGER,
    -- Counted by triggers on factors and codes, for lists of those who lack some; whether someone gets in is never asked
    -- here.
    working_factors      INTEGER NOT NULL DEFAULT 0,
    own_codes_left       INTEGER NOT NULL DEFAULT 0,
    CHECK (status <> 'active' OR password_hash IS NOT NULL)
) STRICT;
CREATE INDEX users_by_name ON users (name COLLATE NOCASE, row);
-- Whatever the list is narrowed to, it is walked in the order of names.
CREATE INDEX users_by_role ON users (role, name COLLATE NOCASE, row);
CREATE INDEX users_by_status ON users (status, name COLLATE NOCASE, row);
CREATE INDEX users_by_role_and_status ON users (role, status, name COLLATE NOCASE, row);
CREATE INDEX users_without_factor ON users (name COLLATE NOCASE, row) WHERE status = 'active' AND working_factors = 0;
CREATE INDEX users_with_temporary_password ON users (name COLLATE NOCASE, row)
    WHERE status = 'active' AND password_expires_at IS NOT NULL;
-- The number is policy::FEW_CODES: with another one in it, no statement could be prepared that asks this index.
CREATE INDEX users_with_few_codes ON users (name COLLATE NOCASE, row)
    WHERE status = 'active' AND working_factors > 0 AND own_codes_left <= 2;

-- Substring search over name and address; kept in step with users by triggers. The index holds every three characters in
-- a row. Two spaces more, and each one or two characters, the last ones too, begin such a three: user_parts finds them.
CREATE VIEW user_texts AS SELECT row, name || '  ' AS name, email || '  ' AS email FROM users;
CREATE VIRTUAL TABLE user_search
    USING fts5 (name, email, content = 'user_texts', content_rowid = 'row', tokenize = 'trigram');
CREATE VIRTUAL TABLE user_parts USING fts5vocab (user_search, instance);
CREATE TRIGGER user_search_insert AFTER INSERT ON users BEGIN
    INSERT INTO user_search (rowid, name, email) VALUES (new.row, new.name || '  ', new.email || '  ');
END;
CREATE TRIGGER user_search_update AFTER UPDATE OF name, email ON users BEGIN
    INSERT INTO user_search (user_search, rowid, name, email)
    VALUES ('delete', old.row, old.name || '  ', old.email || '  ');
    INSERT INTO user_search (rowid, name, email) VALUES (new.row, new.name || '  ', new.email || '  ');
END;
CREATE TRIGGER users_are_kept BEFORE DELETE ON users BEGIN
    SELECT raise(ABORT, 'people are disabled, never deleted');
END;

-- Roles held before: a demotion must not let someone act on a former peer at once.
CREATE TABLE role_history (
    user_id  TEXT    NOT NULL REFERENCES users (id),
    role     TEXT    NOT NULL CHECK (role IN ('member', 'auditor', 'admin', 'owner')),
    ended_at INTEGER NOT NULL
) STRICT;
CREATE INDEX role_history_by_user ON role_history (user_id, ended_at);

-- How a person is reached beside the sign-in address, and who vouches for them. Only what was known long enough before a
-- request counts as evidence, so known_since must never be set back, and a value that was removed begins anew.
CREATE TABLE contacts (
    id          TEXT    PRIMARY KEY CHECK (length(id) = 36),
    user_id     TEXT    NOT NULL REFERENCES users (id),
    kind        TEXT    NOT NULL CHECK (kind IN ('phone', 'email', 'manager')),
    value       TEXT    NOT NULL CHECK (length(value) BETWEEN 1 AND 254),
    known_since INTEGER NOT NULL,
    added_by    TEXT    NOT NULL,
    removed_at  INTEGER,
    removed_by  TEXT             CHECK ((removed_by IS NULL) = (removed_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_user ON contacts (user_id, kind);
CREATE UNIQUE INDEX contacts_in_use ON contacts (user_id, kind, value) WHERE removed_at IS NULL;
CREATE TRIGGER contacts_change_by_removal_alone BEFORE UPDATE ON contacts BEGIN
    SELECT raise(ABORT, 'a contact is removed and added, never changed')
    WHERE old.removed_at IS NOT NULL
       OR (new.id, new.user_id, new.kind, new.value, new.known_since, new.added_by)
          <> (old.id, old.user_id, old.kind, old.value, old.known_since, old.added_by);
END;
CREATE TRIGGER contacts_are_kept BEFORE DELETE ON contacts BEGIN
    SELECT raise(ABORT, 'contacts are removed, never deleted');
END;

-- What a person looks like, for whoever compares it with a face on a video call: a picture that was made anew from what
-- was uploaded, so that no byte of the upload is served; and a line about the ID that was seen.
CREATE TABLE portraits (
    user_id   TEXT    PRIMARY KEY REFERENCES users (id),
    jpeg      BLOB    CHECK (length(jpeg) BETWEEN 1 AND 262144),
    id_note   TEXT    NOT NULL DEFAULT '' CHECK (length(id_note) <= 300),
    added_by  TEXT    NOT NULL,
    added_at  INTEGER NOT NULL,
    CHECK (jpeg IS NOT NULL OR id_note <> '')
) STRICT, WITHOUT ROWID;

-- An authenticator app's secret, encrypted under a key that is not in this file, with the row's id bound to it.
-- last_step is the newest RFC 6238 step that was accepted: neither it nor an earlier one is ever accepted again.
CREATE TABLE factors (
    id           TEXT    PRIMARY KEY CHECK (length(id) = 36),
    user_id      TEXT    NOT NULL REFERENCES users (id),
    label        TEXT    NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
    sealed_seed  BLOB    NOT NULL,
    last_step    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    -- Set after 100 consecutive failures; such a factor is never asked again.
    disabled_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX factors_by_user ON factors (user_id);
CREATE INDEX factors_disabled ON factors (user_id) WHERE disabled_at IS NOT NULL;
CREATE TRIGGER factors_counted_insert AFTER INSERT ON factors BEGIN
    UPDATE users SET working_factors =
        (SELECT count(*) FROM factors WHERE user_id = new.user_id AND disabled_at IS NULL) WHERE id = new.user_id;
END;
CREATE TRIGGER factors_counted_update AFTER UPDATE OF disabled_at ON factors BEGIN
    UPDATE users SET working_factors =
        (SELECT count(*) FROM factors WHERE user_id = new.user_id AND disabled_at IS NULL) WHERE id = new.user_id;
END;
CREATE TRIGGER factors_counted_delete AFTER DELETE ON factors BEGIN
    UPDATE users SET working_factors =
        (SELECT count(*) FROM factors WHERE user_id = old.user_id AND disabled_at IS NULL) WHERE id = old.user_id;
END;

-- A set of backup codes: ten that a person made, or three that an admin issued. A newer set of a kind voids the older,
-- so there is at most one of each. One salt a set, so that an attempt costs one hash.
CREATE TABLE code_sets (
    id         INTEGER PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    kind       TEXT    NOT NULL CHECK (kind IN ('own', 'issued')),
    salt       BLOB    NOT NULL CHECK (length(salt) = 16),
    -- Argon2id's m in KiB, t and p.
    memory_kib INTEGER NOT NULL,
    passes     INTEGER NOT NULL,
    lanes      INTEGER NOT NULL,
    total      INTEGER NOT NULL CHECK (total > 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER CHECK ((expires_at IS NOT NULL) = (kind = 'issued')),
    UNIQUE (user_id, kind)
) STRICT;

-- One backup code, as its Argon2id hash. used_at is set once; a used code must never work again.
CREATE TABLE codes (
    set_id   INTEGER NOT NULL REFERENCES code_sets (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    used_at  INTEGER,
    PRIMARY KEY (set_id, position)
) STRICT, WITHOUT ROWID;

-- A set goes as a whole, with its codes.
CREATE TRIGGER codes_counted_insert AFTER INSERT ON codes BEGIN
    UPDATE users SET own_codes_left = (SELECT count(*) FROM codes WHERE set_id = new.set_id AND used_at IS NULL)
    WHERE id = (SELECT user_id FROM code_sets WHERE id = new.set_id AND kind = 'own');
END;
CREATE TRIGGER codes_counted_update AFTER UPDATE OF used_at ON codes BEGIN
    UPDATE users SET own_codes_left = (SELECT count(*) FROM codes WHERE set_id = new.set_id AND used_at IS NULL)
    WHERE id = (SELECT user_id FROM code_sets WHERE id = new.set_id AND kind = 'own');
END;
CREATE TRIGGER codes_counted_delete AFTER DELETE ON code_sets WHEN old.kind = 'own' BEGIN
    UPDATE users SET own_codes_left = 0 WHERE id = old.user_id;
END;

-- A session of any assurance; the cookie's token is here only as its hash. Stage and token change together. Only
-- 'full' reaches anything beyond the page that the stage is about.
CREATE TABLE sessions (
    id               TEXT    PRIMARY KEY CHECK (length(id) = 36),
    token_hash       BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    user_id          TEXT    NOT NULL REFERENCES users (id),
    stage            TEXT    NOT NULL CHECK (stage IN ('pending', 'enrolling', 'changing_password', 'full')),
    -- The person's credential epoch when the session came to be; another one ends it.
    epoch            INTEGER NOT NULL,
    methods          TEXT    NOT NULL DEFAULT '',
    -- While enrolling: the pass was given, or none is needed.
    pass_given       INTEGER NOT NULL DEFAULT 0 CHECK (pass_given IN (0, 1)),
    -- The secret shown on the enrolment page until a code confirms it; encrypted, bound to this session's id.
    sealed_seed      BLOB,
    address          TEXT    NOT NULL,
    user_agent       TEXT    NOT NULL,
    next             TEXT    NOT NULL DEFAULT '',
    device_id        TEXT,
    created_at       INTEGER NOT NULL,
    seen_at          INTEGER NOT NULL,
    step_up_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- A browser that completed a sign-in: its failures are counted apart from strangers'.
CREATE TABLE devices (
    id         TEXT    PRIMARY KEY CHECK (length(id) = 36),
    token_hash BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    user_id    TEXT    NOT NULL REFERENCES users (id),
    user_agent TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_user ON devices (user_id, seen_at);

-- A one-time link. It must never work twice, nor after what it was made for has changed: then its row is gone.
CREATE TABLE links (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose    TEXT    NOT NULL CHECK (purpose IN ('setup', 'invitation', 'password_reset')),
    user_id    TEXT    REFERENCES users (id) CHECK ((user_id IS NULL) = (purpose = 'setup')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_user ON links (user_id, expires_at);

-- The one way for a person without a factor to enrol one. At most one a person.
CREATE TABLE enrolment_windows (
    user_id      TEXT    PRIMARY KEY REFERENCES users (id),
    case_number  TEXT    REFERENCES cases (number),
    pass_hash    BLOB    CHECK (length(pass_hash) = 32),
    wrong_passes INTEGER NOT NULL DEFAULT 0,
    opened_at    INTEGER NOT NULL,
    closes_at    INTEGER NOT NULL,
    -- An invitation, which has no case, opens without a pass; a recovery only where policy says so.
    CHECK (pass_hash IS NULL OR case_number IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- A recovery, from the first call to the last message. What states there are and what leads from one to the next stands in
-- src/recovery/state.rs, whose words these are. At most one a person is open. A case must never be deleted, nor opened
-- again once it is closed.
CREATE TABLE cases (
    number          TEXT    PRIMARY KEY,
    year            INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    user_id         TEXT    NOT NULL REFERENCES users (id),
    -- Absent for the host, and for an objection, which nobody signs.
    opened_by_id    TEXT             REFERENCES users (id),
    opened_by       TEXT    NOT NULL,
    opened_at       INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('opened', 'verified', 'escalated', 'awaiting_approval', 'approved',
                                                      'acted', 'awaiting_enrolment', 'disavowed', 'recovered', 'refused',
                                                      'approval_denied', 'expired', 'incident', 'reassured')),
    -- When it came into this state.
    state_at        INTEGER NOT NULL,
    -- Rises with every state, so that an approval of what has changed since is none.
    version         INTEGER NOT NULL DEFAULT 1,
    urgent          INTEGER NOT NULL DEFAULT 0 CHECK (urgent IN (0, 1)),
    -- From then on only an owner acts in it.
    for_owner       INTEGER NOT NULL DEFAULT 0 CHECK (for_owner IN (0, 1)),
    reason          TEXT    NOT NULL CHECK (length(reason) > 0),
    ticket          TEXT,
    -- What was done, last and by whom.
    act             TEXT             CHECK (act IN ('walked_through', 'reset', 'codes', 'password', 'reset_and_password',
                                                    'email', 'invitation')),
    acted_by_id     TEXT             REFERENCES users (id),
    acted_by        TEXT,
    acted_at        INTEGER          CHECK ((acted_at IS NULL) = (act IS NULL)),
    codes_left      INTEGER NOT NULL DEFAULT 0,
    factors_removed INTEGER NOT NULL DEFAULT 0,
    sessions_ended  INTEGER NOT NULL DEFAULT 0,
    -- When it expires by itself. A frozen account waits for somebody, however long.
    due_at          INTEGER          CHECK ((due_at IS NULL) = (state = 'disavowed' OR closed_at IS NOT NULL)),
    closed_at       INTEGER          CHECK ((closed_at IS NOT NULL) = (state IN ('recovered', 'refused', 'approval_denied',
                                                                                 'expired', 'incident', 'reassured'))),
    closed_by       TEXT,
    -- Why it was refused, denied, escalated or closed, in the words of who did it.
    note            TEXT    NOT NULL DEFAULT '',
    refusal         TEXT             CHECK ((refusal IS NOT NULL) = (state = 'refused')),
    -- Which of the signs were there when a grant was asked for, as src/signals.rs writes them.
    signals         TEXT    NOT NULL DEFAULT '',
    follow_up_at    INTEGER,
    follow_up_by    TEXT,
    -- What has to permit a grant that was asked for, or that it is permitted: kept by triggers on case_requests, for lists.
    asks            TEXT             CHECK (asks IN ('owner', 'admin', 'time', 'approved')),
    -- Who has to do something next, which is where it stands on the board: every case that is not closed stands there once.
    waits_for       TEXT    AS (CASE
        WHEN state = 'disavowed' THEN 'frozen'
        WHEN closed_at IS NOT NULL THEN NULL
        WHEN asks = 'approved' OR state = 'approved' THEN 'approved'
        WHEN asks IS NOT NULL OR state = 'awaiting_approval' THEN 'approval_' || coalesce(asks, 'owner')
        WHEN state IN ('acted', 'awaiting_enrolment') THEN 'person'
        WHEN state = 'escalated' OR for_owner = 1 THEN 'owner'
        ELSE 'open' END),
    -- What runs out first stands first there.
    pressing_at     INTEGER AS (coalesce(due_at, state_at)),
    UNIQUE (year, count)
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_by_user ON cases (user_id, opened_at);
CREATE UNIQUE INDEX one_open_case ON cases (user_id) WHERE closed_at IS NULL;
CREATE INDEX cases_open ON cases (state, state_at) WHERE closed_at IS NULL;
CREATE INDEX cases_due ON cases (due_at) WHERE closed_at IS NULL;
CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL;
-- The board is walked in its order, urgent cases first; who opened a case finds those in which it is their turn.
CREATE INDEX cases_on_board ON cases (waits_for, urgent, pressing_at) WHERE waits_for IS NOT NULL;
CREATE INDEX cases_of_opener ON cases (opened_by_id, urgent, pressing_at) WHERE waits_for = 'open';
CREATE INDEX cases_closed_in ON cases (state, closed_at) WHERE closed_at IS NOT NULL;
CREATE TRIGGER cases_are_kept BEFORE DELETE ON cases BEGIN
    SELECT raise(ABORT, 'cases are closed, never deleted');
END;
-- An objection, or an incident, can follow upon a case that was closed.
CREATE TRIGGER cases_stay_closed BEFORE UPDATE OF state ON cases
WHEN old.closed_at IS NOT NULL AND new.state NOT IN ('disavowed', 'incident') BEGIN
    SELECT raise(ABORT, 'a case that was closed is not opened again');
END;

-- What a case rests on: how somebody made sure who it is. What does not count has no kind.
CREATE TABLE case_evidence (
    id             INTEGER PRIMARY KEY,
    case_number    TEXT    NOT NULL REFERENCES cases (number),
    kind           TEXT    NOT NULL CHECK (kind IN ('video_call', 'known_number', 'manager_ticket', 'in_person', 'host')),
    note           TEXT    NOT NULL,
    voucher        TEXT,
    ticket         TEXT,
    -- The number that was called and since when it was on the account, where it was a call.
    number         TEXT             CHECK (number IS NULL OR kind = 'known_number'),
    known_since    INTEGER          CHECK ((known_since IS NULL) = (number IS NULL)),
    requested_at   INTEGER          CHECK ((requested_at IS NULL) = (number IS NULL)),
    recorded_by_id TEXT             REFERENCES users (id),
    recorded_by    TEXT    NOT NULL,
    recorded_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX case_evidence_by_case ON case_evidence (case_number, id);
CREATE TRIGGER case_evidence_is_kept_update BEFORE UPDATE ON case_evidence BEGIN
    SELECT raise(ABORT, 'evidence is added, never changed');
END;
CREATE TRIGGER case_evidence_is_kept_delete BEFORE DELETE ON case_evidence BEGIN
    SELECT raise(ABORT, 'evidence is added, never deleted');
END;

-- A grant that a second person, or an hour, has to permit first. It permits exactly what was asked, in the case as it was
-- then, and who asked carries it out. At most one a case waits or may be used.
CREATE TABLE case_requests (
    id           TEXT    PRIMARY KEY CHECK (length(id) = 36),
    case_number  TEXT    NOT NULL REFERENCES cases (number),
    grant_name   TEXT    NOT NULL CHECK (grant_name IN ('reset_factors', 'issue_codes', 'temporary_password', 'invite_again',
                                                        'change_email', 'readmit')),
    -- What else was asked for: the new address.
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
    -- Until then it can be approved, and then used; a request that time permits ripens at ripe_at.
    valid_until  INTEGER NOT NULL,
    ripe_at      INTEGER          CHECK ((ripe_at IS NOT NULL) = (needs = 'time')),
    -- Who approved or denied it; absent for the host.
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

-- An account that its case alone opens again. In a case that is disavowed, it is disabled because somebody objected to what
-- was done to it, and who acted in that case can not lift it; in an incident, the person comes back through a new case.
CREATE TABLE freezes (
    user_id     TEXT    PRIMARY KEY REFERENCES users (id),
    case_number TEXT    NOT NULL REFERENCES cases (number),
    frozen_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a person has to be told about their account. Written with the entry that it is about, in one transaction, by the
-- writer itself: src/notices.rs says of which events.
CREATE TABLE notices (
    id              TEXT    PRIMARY KEY CHECK (length(id) = 36),
    user_id         TEXT    NOT NULL REFERENCES users (id),
    kind            TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    case_number     TEXT,
    -- What the message says beside its fixed words: a JSON object without secrets.
    facts           TEXT    NOT NULL,
    -- Until then "this wasn't me" works, once; absent where there is nothing to object to.
    objection_until INTEGER,
    objected_at     INTEGER,
    -- When the person was shown it after signing in, or said that they have read it.
    seen_at         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_by_user ON notices (user_id, at);
CREATE INDEX notices_unseen ON notices (user_id, at) WHERE seen_at IS NULL;
CREATE INDEX notices_by_case ON notices (case_number) WHERE case_number IS NOT NULL;

-- Messages to be sent by e-mail: one row an address. No secret stands here; a link in a message is computed from the row's
-- id when it is sent. A row must never be sent twice once sent_at is set.
CREATE TABLE outbox (
    id         TEXT    PRIMARY KEY CHECK (length(id) = 36),
    kind       TEXT    NOT NULL CHECK (kind IN ('notice', 'invitation', 'password_reset', 'alert', 'message', 'anchor')),
    -- Whom it is about; absent for an alert that is about nobody.
    user_id    TEXT             REFERENCES users (id),
    notice_id  TEXT             REFERENCES notices (id) CHECK ((notice_id IS NOT NULL) = (kind = 'notice')),
    case_number TEXT,
    address    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    -- Whether the link to object stands in it: only addresses that were known before the case get it.
    may_object INTEGER NOT NULL DEFAULT 0 CHECK (may_object IN (0, 1)),
    -- Subject and text of what a person wrote; facts of what has fixed words.
    subject    TEXT    NOT NULL DEFAULT '',
    text       TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    -- When it is tried next; absent once it was sent or given up.
    next_at    INTEGER,
    sent_at    INTEGER,
    given_up_at INTEGER,
    -- Why the last try failed.
    error      TEXT    NOT NULL DEFAULT '',
    CHECK ((next_at IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL)),
    CHECK (sent_at IS NULL OR given_up_at IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (next_at) WHERE next_at IS NOT NULL;
-- What was written first goes to an address first.
CREATE INDEX outbox_waiting ON outbox (address, id) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_of_user ON outbox (user_id, id) WHERE notice_id IS NULL;
CREATE INDEX outbox_by_notice ON outbox (notice_id) WHERE notice_id IS NOT NULL;
CREATE INDEX outbox_by_case ON outbox (case_number) WHERE case_number IS NOT NULL;
CREATE INDEX outbox_given_up ON outbox (given_up_at) WHERE given_up_at IS NOT NULL;
CREATE INDEX outbox_anchors ON outbox (created_at) WHERE kind = 'anchor';

-- What owners have set; what has no row is as src/policy.rs says. A looser value takes effect a day after it was asked
-- for. The newest row of a key that is in effect counts, so that what held when can be seen.
CREATE TABLE policy_settings (
    id           INTEGER PRIMARY KEY,
    key          TEXT    NOT NULL,
    value        INTEGER NOT NULL,
    set_by       TEXT    NOT NULL,
    set_at       INTEGER NOT NULL,
    effective_at INTEGER NOT NULL CHECK (effective_at >= set_at),
    -- A value that was taken back before it took effect.
    cancelled_at INTEGER
) STRICT;

-- Consecutive failures, whether or not the account exists: the key is an HMAC, so the table names nobody.
CREATE TABLE failures (
    budget  TEXT    NOT NULL CHECK (budget IN ('account', 'device', 'totp', 'backup_codes')),
    key     TEXT    NOT NULL,
    count   INTEGER NOT NULL CHECK (count > 0),
    last_at INTEGER NOT NULL,
    PRIMARY KEY (budget, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX failures_by_time ON failures (last_at);

-- How often a link to choose a new password was asked for, whether or not the account exists: the key is an HMAC of the
-- address, so the table names nobody. An hour after the first the count begins anew.
CREATE TABLE link_requests (
    key   TEXT    PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_requests_by_time ON link_requests (since);

-- Failures on accounts that do not exist, counted until their minute is over and they become one audit entry.
CREATE TABLE unknown_failures (
    minute INTEGER NOT NULL,
    source TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (minute, source)
) STRICT, WITHOUT ROWID;

-- Forms that were carried out: the second click finds its nonce here and is told what the first one did.
CREATE TABLE form_nonces (
    nonce   BLOB    PRIMARY KEY CHECK (length(nonce) = 16),
    done_at INTEGER NOT NULL,
    said    TEXT    NOT NULL,
    link    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX form_nonces_by_time ON form_nonces (done_at);

-- The audit trail: append-only, each entry bound to the one before by its hash (src/audit/chain.rs has the layout).
-- An entry must never change, vanish, or be inserted anywhere but at the end; what it says may be erased, with its salt, where
-- it is old enough and of no kind that is kept, and its header and hashes stay. The triggers guard against accidents; whoever
-- owns the file can drop them, and is found out by the chain.
CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    lineage     TEXT    NOT NULL CHECK (length(lineage) = 16),
    at          INTEGER NOT NULL,
    action      TEXT    NOT NULL,
    outcome     TEXT    NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
    actor_kind  TEXT    NOT NULL CHECK (actor_kind IN ('person', 'anonymous', 'system', 'host')),
    actor_id    TEXT    CHECK ((actor_id IS NOT NULL) = (actor_kind = 'person')),
    target_kind TEXT    NOT NULL CHECK (target_kind IN ('person', 'system')),
    target_id   TEXT    CHECK ((target_id IS NOT NULL) = (target_kind = 'person')),
    case_number TEXT,
    salt        BLOB    CHECK (length(salt) = 16),
    body        TEXT    CHECK ((body IS NULL) = (salt IS NULL)),
    body_digest BLOB    NOT NULL CHECK (length(body_digest) = 32),
    prev_hash   BLOB    NOT NULL CHECK (length(prev_hash) = 32),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_action ON audit (action);
CREATE INDEX audit_by_outcome ON audit (outcome);
CREATE INDEX audit_by_actor ON audit (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_actor_kind ON audit (actor_kind) WHERE actor_kind <> 'person';
CREATE INDEX audit_by_target ON audit (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX audit_by_case ON audit (case_number) WHERE case_number IS NOT NULL;
-- A person's notes are shown on their page, however much else there is about them.
CREATE INDEX audit_notes ON audit (target_id) WHERE action = 'user.note_added' AND outcome = 'success';
-- What weighs as an unusual sign of an account, or is shown beside it; and sign-ins on a device that was never seen before.
-- A grant looks for them, however much else there is about the person.
CREATE INDEX audit_signs ON audit (target_id, action)
    WHERE action IN ('user.sign_in_failed', 'mfa.challenge_failed', 'user.email_changed', 'user.contact_changed',
                     'user.password_changed', 'user.password_reset_completed', 'user.password_set_by_admin',
                     'mfa.factor_admin_reset', 'mfa.backup_codes_issued_by_admin');
-- In canonical JSON, as bodies are, nothing that somebody typed can look like this: its quotes would be escaped.
CREATE INDEX audit_new_devices ON audit (target_id)
    WHERE action = 'user.signed_in' AND instr(body, '"new_device":true') > 0;

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
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN
    SELECT raise(ABORT, 'an audit entry is never deleted');
END;
-- Also stops INSERT OR REPLACE, which would not fire the trigger on DELETE.
CREATE TRIGGER audit_extends_its_chain BEFORE INSERT ON audit BEGIN
    SELECT raise(ABORT, 'an audit entry extends the chain or is refused')
    WHERE new.seq <> coalesce((SELECT max(seq) FROM audit), 0) + 1
       OR new.prev_hash <> coalesce((SELECT hash FROM audit ORDER BY seq DESC LIMIT 1), zeroblob(32))
       OR new.at < coalesce((SELECT at FROM audit ORDER BY seq DESC LIMIT 1), new.at);
END;

-- Where the newest checkpoint went that this host can not change any more, one row a way. It is no evidence, which is what
-- arrived there; it lets somebody notice that none goes out.
CREATE TABLE anchors (
    way       TEXT    PRIMARY KEY CHECK (way IN ('mail', 'syslog', 'printed')),
    -- The checkpoint's entry, and the moment at which it was signed.
    seq       INTEGER NOT NULL CHECK (seq > 0),
    signed_at INTEGER NOT NULL,
    sent_at   INTEGER NOT NULL,
    -- To whom or where, in words.
    whom      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- How far the trail was sent to each place outside. It must never move past an entry that did not arrive there.
CREATE TABLE streams (
    receiver      TEXT    PRIMARY KEY CHECK (receiver IN ('syslog', 'webhook')),
    -- Its address, without secrets.
    place         TEXT    NOT NULL,
    -- The newest entry that it has.
    sent          INTEGER NOT NULL CHECK (sent >= 0),
    sent_at       INTEGER,
    -- Since when it does not answer, and what the last try came to.
    failing_since INTEGER,
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER CHECK ((next_at IS NULL) = (failing_since IS NULL)),
    error         TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
