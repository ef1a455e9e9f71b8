-- An account that cannot be looked at at all, by wrong keys or a cloud out of reach: what it lists is unknown, and people are
-- told.
ALTER TABLE account_holds DROP CONSTRAINT account_holds_kind_check,
    ADD CONSTRAINT account_holds_kind_check CHECK (kind IN ('wrong-cloud-account', 'many-vanished', 'account-unseen'));
