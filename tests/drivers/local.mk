# One line a test, sorted.
check_PROGRAMS += tests/drivers/test_http
