-- Why an account's list is not believed. The row goes when it is again; what an account is to its cloud stands in
-- accounts.spec (cloud_account), since its first look.

CREATE TABLE account_holds (
    project     text NOT NULL,
    account     text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('wrong-cloud-account', 'many-vanished')),
    since       timestamptz NOT NULL DEFAULT clock_timestamp(),
    text        text NOT NULL,
    looks       bigint NOT NULL DEFAULT 1, -- whole lists that said so, one after another
    believed_by text,                      -- a person who said that it is true
    PRIMARY KEY (project, account, kind),
    FOREIGN KEY (project, account) REFERENCES accounts (project, name) ON DELETE CASCADE
);
