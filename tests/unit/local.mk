# One line a test, sorted.
check_PROGRAMS += tests/unit/test_bytes
check_PROGRAMS += tests/unit/test_cert
check_PROGRAMS += tests/unit/test_text
