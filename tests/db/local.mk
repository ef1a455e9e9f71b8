# One line a test, sorted. Each runs on a real PostgreSQL.
check_PROGRAMS += tests/db/test_api
check_PROGRAMS += tests/db/test_api_fleets
check_PROGRAMS += tests/db/test_api_instances
check_PROGRAMS += tests/db/test_api_secrets
check_PROGRAMS += tests/db/test_api_verify
check_PROGRAMS += tests/db/test_audit_store
check_PROGRAMS += tests/db/test_caller_store
check_PROGRAMS += tests/db/test_db
check_PROGRAMS += tests/db/test_instance_store
check_PROGRAMS += tests/db/test_migrate
check_PROGRAMS += tests/db/test_verdict_store
check_PROGRAMS += tests/db/test_watch
check_PROGRAMS += tests/db/test_workers
check_PROGRAMS += tests/db/test_workers_killed
check_PROGRAMS += tests/db/test_delivery_store
check_PROGRAMS += tests/db/test_fleet_store
check_PROGRAMS += tests/db/test_invariants
