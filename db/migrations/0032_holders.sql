-- On which controller's link the holder of an instance is: whoever proves the instance elsewhere, by another boot, is a
-- claimant as long as that controller is there.
CREATE TABLE holders (
    instance   uuid PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
    controller text NOT NULL, -- a name of controllers, which may not be counted yet
    asked      text,          -- why somebody on another controller wants its evidence
    since      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX holders_controller ON holders (controller);
CREATE INDEX holders_asked ON holders (controller) WHERE asked IS NOT NULL;
