-- Verdicts over machines that their cloud's documents speak against: few, and asked for by every status.
CREATE INDEX verdicts_suspect ON verdicts (id) WHERE claims ->> 'documents' = 'suspect';
