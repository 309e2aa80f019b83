-- Who waits for a lease, in the order of coming. Whoever does not look for a while (seen_at) is passed over.
CREATE TABLE waiters (
    waiter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile TEXT NOT NULL,
    purpose TEXT NOT NULL,
    site TEXT NOT NULL,
    holder TEXT NOT NULL,
    seen_at INTEGER NOT NULL
);
CREATE INDEX waiters_by_lease ON waiters (profile, purpose, site, waiter_id);
