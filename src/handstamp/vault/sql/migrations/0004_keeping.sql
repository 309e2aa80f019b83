-- Logins of one account at one site since the last that worked; row_key is a keyed hash of both. One is counted before it is
-- made, so that a program that is killed in it has used it up. refused: a keyed hash of the password that the site refused.
CREATE TABLE login_attempts (
    row_key BLOB PRIMARY KEY,
    revision INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    troubles INTEGER NOT NULL,
    failed_at INTEGER,
    not_before INTEGER,
    reason TEXT NOT NULL,
    refused BLOB
);

-- What sites ask during logins that are under way. question_sealed: account, question, picture.
CREATE TABLE challenges (
    challenge_id TEXT PRIMARY KEY,
    profile TEXT NOT NULL,
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    question_sealed BLOB NOT NULL,
    answer_sealed BLOB
);
CREATE INDEX challenges_by_deadline ON challenges (deadline);

-- When a session is to be looked at next, and who has taken that on until when.
CREATE TABLE turns (
    session_id TEXT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    due_at INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL,
    why TEXT NOT NULL
);
CREATE INDEX turns_by_time ON turns (due_at);
