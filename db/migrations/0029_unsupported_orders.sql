-- A place may not have what a fleet asks for at all: its zone lacks the type, or the type the feature. That is said of
-- this order, so another fleet with the same size is not kept out, and it holds for longer than want of room.
ALTER TABLE place_closures
    ADD COLUMN fleet uuid REFERENCES fleets ON DELETE CASCADE, -- whose order it was; NULL: everybody's
    DROP CONSTRAINT place_closures_pkey,
    DROP CONSTRAINT place_closures_code_check,
    ADD CONSTRAINT place_closures_code_check CHECK (code IN ('capacity', 'quota', 'unsupported')),
    ADD CONSTRAINT place_closures_whose CHECK ((fleet IS NOT NULL) = (code = 'unsupported')),
    ADD CONSTRAINT place_closures_once UNIQUE NULLS NOT DISTINCT (project, account, zone, size, fleet);
CREATE INDEX place_closures_of_fleet ON place_closures (fleet) WHERE fleet IS NOT NULL;
