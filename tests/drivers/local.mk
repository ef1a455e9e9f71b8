# One line a test, sorted.
check_PROGRAMS += tests/drivers/test_ec2_answers
check_PROGRAMS += tests/drivers/test_ec2_requests
check_PROGRAMS += tests/drivers/test_http
