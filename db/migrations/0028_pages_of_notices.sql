-- A page of notices reads what it shows: those of a fleet, of an account or of all, in order; and those that stand apart
-- from those that ended, which begin first and are many.

-- A machine stays in its fleet. Empty: an older release wrote it down, and the next look puts it right.
ALTER TABLE notices ADD COLUMN fleet text NOT NULL DEFAULT '';
UPDATE notices n SET fleet = i.fleet FROM instances i WHERE i.id = n.instance;
DROP INDEX notices_listed;
CREATE INDEX notices_listed ON notices (project, (ended IS NOT NULL), begins, id);
CREATE INDEX notices_of_account ON notices (project, account, (ended IS NOT NULL), begins, id);
CREATE INDEX notices_of_fleet ON notices (project, fleet, (ended IS NOT NULL), begins, id);
