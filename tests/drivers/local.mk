# One line a test, sorted.
