-- SPDX-License-Identifier: Apache-2.0
-- Who may use the console, and what was changed through it.
CREATE TABLE users (
    name     TEXT    PRIMARY KEY,
    roles    TEXT    NOT NULL, -- with spaces between: "analyst responder"
    hash     BLOB    NOT NULL, -- scrypt of the password, 32 bytes,
    salt     BLOB    NOT NULL, -- with this salt and these parameters
    cost     INTEGER NOT NULL,
    block    INTEGER NOT NULL,
    parallel INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    changed  INTEGER NOT NULL  -- the password, last
) WITHOUT ROWID;

CREATE TABLE sessions (
    digest   BLOB    PRIMARY KEY, -- SHA-256 of what the cookie holds
    user     TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    used     INTEGER NOT NULL     -- last, to the minute
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user);
CREATE INDEX sessions_by_use ON sessions (used);

CREATE TABLE tokens (
    id       TEXT    PRIMARY KEY,
    digest   BLOB    NOT NULL UNIQUE, -- SHA-256 of the token
    name     TEXT    NOT NULL,
    roles    TEXT    NOT NULL,
    creator  TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    expires  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL, -- never before the one in front of it
    who      TEXT    NOT NULL,
    via      TEXT    NOT NULL, -- "session", "token", "certificate", "demo", "command"
    address  TEXT    NOT NULL, -- that it came from; empty: a command on the monitor's machine
    what     TEXT    NOT NULL, -- "session.open", "finding.acknowledge"
    object   TEXT    NOT NULL,
    detail   TEXT    NOT NULL
);
CREATE INDEX audit_by_time ON audit (at, seq);
CREATE INDEX audit_by_who ON audit (who, seq);
