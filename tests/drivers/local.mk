# One line a test, sorted.
check_PROGRAMS += tests/drivers/test_account_explain
check_PROGRAMS += tests/drivers/test_account_test
check_PROGRAMS += tests/drivers/test_aws_hostile
check_PROGRAMS += tests/drivers/test_aws_offers
check_PROGRAMS += tests/drivers/test_azure_answers
check_PROGRAMS += tests/drivers/test_azure_hostile
check_PROGRAMS += tests/drivers/test_azure_requests
check_PROGRAMS += tests/drivers/test_azure_token
check_PROGRAMS += tests/drivers/test_drivers
check_PROGRAMS += tests/drivers/test_ec2_answers
check_PROGRAMS += tests/drivers/test_ec2_requests
check_PROGRAMS += tests/drivers/test_gce_face
check_PROGRAMS += tests/drivers/test_gcp_hostile
check_PROGRAMS += tests/drivers/test_gcp_requests
check_PROGRAMS += tests/drivers/test_gcp_token
check_PROGRAMS += tests/drivers/test_http
check_PROGRAMS += tests/drivers/test_offers
