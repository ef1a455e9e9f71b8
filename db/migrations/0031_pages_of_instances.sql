-- A page of machines begins at the next one that is there, however many are over. By the id alone: that is the order
-- in which they were made, which the planner knows to be cheap to follow.
CREATE INDEX instances_live_id ON instances (id) WHERE phase <> 'terminated';
