# One line a test, sorted.
check_PROGRAMS += tests/unit/test_account
check_PROGRAMS += tests/unit/test_agent_hook
check_PROGRAMS += tests/unit/test_agent_userdata
check_PROGRAMS += tests/unit/test_bytes
check_PROGRAMS += tests/unit/test_cert
check_PROGRAMS += tests/unit/test_clock
check_PROGRAMS += tests/unit/test_config
check_PROGRAMS += tests/unit/test_file
check_PROGRAMS += tests/unit/test_link_replies
check_PROGRAMS += tests/unit/test_message
check_PROGRAMS += tests/unit/test_queue
check_PROGRAMS += tests/unit/test_retry
check_PROGRAMS += tests/unit/test_sigv4
check_PROGRAMS += tests/unit/test_text
check_PROGRAMS += tests/unit/test_tee
