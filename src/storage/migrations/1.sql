-- From schema 1 to 2: contact details, people who left, a call as evidence, a restore that waits to be confirmed, lists
-- that take the same time however many people there are.
-- SQLite can not change a CHECK, so a table whose rule changes is made anew under another name, filled, and given its name.

ALTER TABLE instance ADD COLUMN people_confirmed INTEGER NOT NULL DEFAULT 1 CHECK (people_confirmed IN (0, 1));

CREATE TABLE users_2 (
    row                  INTEGER PRIMARY KEY,
    id                   TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    email                TEXT    NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name                 TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role                 TEXT    NOT NULL CHECK (role IN ('member', 'auditor', 'admin', 'owner')),
    status               TEXT    NOT NULL CHECK (status IN ('invited', 'active', 'disabled', 'left')),
    password_hash        TEXT             CHECK (password_hash LIKE '$argon2id$%'),
    must_change_password INTEGER NOT NULL DEFAULT 0 CHECK (must_change_password IN (0, 1)),
    password_expires_at  INTEGER          CHECK (password_expires_at IS NULL OR must_change_password = 1),
    credential_epoch     INTEGER NOT NULL DEFAULT 0,
    created_at           INTEGER NOT NULL,
    last_sign_in_at      INTEGER,
    working_factors      INTEGER NOT NULL DEFAULT 0,
    own_codes_left       INTEGER NOT NULL DEFAULT 0,
    CHECK (status <> 'active' OR password_hash IS NOT NULL)
) STRICT;
INSERT INTO users_2 (row, id, email, name, role, status, password_hash, must_change_password, password_expires_at, credential_epoch,
                     created_at, last_sign_in_at, working_factors, own_codes_left)
              SELECT row, id, email, name, role, status, password_hash, must_change_password, password_expires_at, credential_epoch,
                     created_at, last_sign_in_at,
                     (SELECT count(*) FROM factors WHERE user_id = users.id AND disabled_at IS NULL),
                     (SELECT count(*) FROM code_sets JOIN codes ON set_id = code_sets.id
                       WHERE user_id = users.id AND kind = 'own' AND used_at IS NULL)
                FROM users;
DROP TABLE users;
ALTER TABLE users_2 RENAME TO users;
CREATE INDEX users_by_name ON users (name COLLATE NOCASE, row);
CREATE INDEX users_by_role ON users (role, name COLLATE NOCASE, row);
CREATE INDEX users_by_status ON users (status, name COLLATE NOCASE, row);
CREATE INDEX users_by_role_and_status ON users (role, status, name COLLATE NOCASE, row);
CREATE INDEX users_without_factor ON users (name COLLATE NOCASE, row) WHERE status = 'active' AND working_factors = 0;
CREATE INDEX users_with_temporary_password ON users (name COLLATE NOCASE, row)
    WHERE status = 'active' AND password_expires_at IS NOT NULL;
CREATE INDEX users_with_few_codes ON users (name COLLATE NOCASE, row)
    WHERE status = 'active' AND working_factors > 0 AND own_codes_left <= 2;

-- The search index is made anew: it holds two spaces more after each text.
DROP TABLE user_search;
CREATE VIEW user_texts AS SELECT row, name || '  ' AS name, email || '  ' AS email FROM users;
CREATE VIRTUAL TABLE user_search
    USING fts5 (name, email, content = 'user_texts', content_rowid = 'row', tokenize = 'trigram');
INSERT INTO user_search (user_search) VALUES ('rebuild');
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

CREATE TABLE cases_2 (
    number           TEXT    PRIMARY KEY,
    year             INTEGER NOT NULL,
    count            INTEGER NOT NULL,
    user_id          TEXT    NOT NULL REFERENCES users (id),
    opened_by        TEXT    NOT NULL,
    opened_at        INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('awaiting_enrolment', 'recovered', 'expired')),
    evidence         TEXT    NOT NULL CHECK (evidence IN ('video_call', 'known_number', 'manager_ticket', 'in_person',
                                                            'host')),
    evidence_note    TEXT    NOT NULL,
    voucher          TEXT,
    ticket           TEXT,
    reason           TEXT    NOT NULL CHECK (length(reason) > 0),
    codes_left       INTEGER NOT NULL,
    factors_removed  INTEGER NOT NULL,
    sessions_ended   INTEGER NOT NULL,
    window_closes_at INTEGER NOT NULL,
    closed_at        INTEGER CHECK ((closed_at IS NULL) = (state = 'awaiting_enrolment')),
    UNIQUE (year, count)
) STRICT, WITHOUT ROWID;
INSERT INTO cases_2 (number, year, count, user_id, opened_by, opened_at, state, evidence, evidence_note, voucher, ticket, reason,
                     codes_left, factors_removed, sessions_ended, window_closes_at, closed_at)
              SELECT number, year, count, user_id, opened_by, opened_at, state, evidence, evidence_note, voucher, ticket, reason,
                     codes_left, factors_removed, sessions_ended, window_closes_at, closed_at FROM cases;
DROP TABLE cases;
ALTER TABLE cases_2 RENAME TO cases;
CREATE INDEX cases_by_user ON cases (user_id, opened_at);
CREATE UNIQUE INDEX one_open_case ON cases (user_id) WHERE state = 'awaiting_enrolment';
CREATE INDEX cases_by_time ON cases (opened_at);

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

DROP INDEX links_by_user;
CREATE INDEX links_by_user ON links (user_id, expires_at);

CREATE INDEX audit_notes ON audit (target_id) WHERE action = 'user.note_added' AND outcome = 'success';
