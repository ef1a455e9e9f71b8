-- A name may come to mean another machine, and a machine may bear tags that were copied to it.
ALTER TABLE orphans
    ADD COLUMN machine_id text NOT NULL DEFAULT '', -- its number, where its cloud gives one
    ADD COLUMN copied     boolean NOT NULL DEFAULT false;
