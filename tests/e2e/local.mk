# One line a script, sorted: TESTS += and dist_check_SCRIPTS +=.
check_PROGRAMS += tests/e2e/agent_meets_keeper
check_PROGRAMS += tests/e2e/agent_program
TESTS += tests/e2e/agent_links_little.sh
dist_check_SCRIPTS += tests/e2e/agent_links_little.sh
check_DATA = agent/muster-agent-production
TESTS += tests/e2e/account_test_moto.sh
dist_check_SCRIPTS += tests/e2e/account_test_moto.sh
check_PROGRAMS += tests/e2e/stolen_controller
TESTS += tests/e2e/manual_is_whole.sh
dist_check_SCRIPTS += tests/e2e/manual_is_whole.sh
check_PROGRAMS += tests/e2e/keeper_program
TESTS += tests/e2e/aws_cli_emulator.sh
dist_check_SCRIPTS += tests/e2e/aws_cli_emulator.sh
TESTS += tests/e2e/keeper_codes_are_documented.sh
dist_check_SCRIPTS += tests/e2e/keeper_codes_are_documented.sh
TESTS += tests/e2e/musterd_starts_and_stops.sh
dist_check_SCRIPTS += tests/e2e/musterd_starts_and_stops.sh
