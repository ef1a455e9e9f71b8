-- Disks, addresses and interfaces that machines left behind, and rows whose machine vanished: orphans too.

ALTER TABLE orphans ADD COLUMN fleet text NOT NULL DEFAULT ''; -- as its tags say
CREATE INDEX orphans_old ON orphans (first_seen);

-- When an account is next asked what was left behind; whoever moves `due` on asks.
CREATE TABLE leftover_looks (
    project text NOT NULL,
    account text NOT NULL,
    due     timestamptz NOT NULL,
    looked  timestamptz, -- NULL: not yet
    failure text,        -- why the last one could not be made; what stands is from before
    PRIMARY KEY (project, account),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name) ON DELETE CASCADE
);
