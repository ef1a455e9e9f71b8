noinst_LIBRARIES += db/libdb.a
db_libdb_a_SOURCES = db/statement.h
db_libdb_a_SOURCES += db/account_store.c db/account_store.h
db_libdb_a_SOURCES += db/alarm_store.c db/alarm_store.h
db_libdb_a_SOURCES += db/audit_store.c db/audit_store.h
db_libdb_a_SOURCES += db/caller_store.c db/caller_store.h
db_libdb_a_SOURCES += db/case_store.c db/case_store.h
db_libdb_a_SOURCES += db/catalogue_store.c db/catalogue_store.h
db_libdb_a_SOURCES += db/charter_store.c db/charter_store.h
db_libdb_a_SOURCES += db/controller_store.c db/controller_store.h
db_libdb_a_SOURCES += db/db.c db/db.h
db_libdb_a_SOURCES += db/db_param.c
db_libdb_a_SOURCES += db/db_row.c db/db_row.h
db_libdb_a_SOURCES += db/delivery_store.c db/delivery_store.h
db_libdb_a_SOURCES += db/distrust_store.c db/distrust_store.h
db_libdb_a_SOURCES += db/endorsement_store.c db/endorsement_store.h
db_libdb_a_SOURCES += db/exposure_store.c db/exposure_store.h
db_libdb_a_SOURCES += db/fleet_store.c db/fleet_store.h
db_libdb_a_SOURCES += db/hold_store.c db/hold_store.h
db_libdb_a_SOURCES += db/holder_store.c db/holder_store.h
db_libdb_a_SOURCES += db/image_store.c db/image_store.h
db_libdb_a_SOURCES += db/instance_beats.c
db_libdb_a_SOURCES += db/instance_history.c db/instance_history.h
db_libdb_a_SOURCES += db/instance_store.c db/instance_store.h
db_libdb_a_SOURCES += db/instance_trust.c
db_libdb_a_SOURCES += db/keeper_store.c db/keeper_store.h
db_libdb_a_SOURCES += db/notice_store.c db/notice_store.h
db_libdb_a_SOURCES += db/operation_store.c db/operation_store.h
db_libdb_a_SOURCES += db/orphan_store.c db/orphan_store.h
db_libdb_a_SOURCES += db/place_store.c db/place_store.h
db_libdb_a_SOURCES += db/probe_store.c db/probe_store.h
db_libdb_a_SOURCES += db/migrate.c db/migrate.h
db_libdb_a_SOURCES += db/replay_store.c db/replay_store.h
db_libdb_a_SOURCES += db/retention.c db/retention.h
db_libdb_a_SOURCES += db/secret_store.c db/secret_store.h
db_libdb_a_SOURCES += db/ticket_store.c db/ticket_store.h
db_libdb_a_SOURCES += db/verdict_store.c db/verdict_store.h
nodist_db_libdb_a_SOURCES = db/statements.c db/statements.h db/migrations.c

DB_QUERIES = $(top_srcdir)/db/queries/account.sql
DB_QUERIES += $(top_srcdir)/db/queries/alarm.sql
DB_QUERIES += $(top_srcdir)/db/queries/audit.sql
DB_QUERIES += $(top_srcdir)/db/queries/case.sql
DB_QUERIES += $(top_srcdir)/db/queries/catalogue.sql
DB_QUERIES += $(top_srcdir)/db/queries/charter.sql
DB_QUERIES += $(top_srcdir)/db/queries/controller.sql
DB_QUERIES += $(top_srcdir)/db/queries/delivery.sql
DB_QUERIES += $(top_srcdir)/db/queries/distrust.sql
DB_QUERIES += $(top_srcdir)/db/queries/endorsement.sql
DB_QUERIES += $(top_srcdir)/db/queries/exposure.sql
DB_QUERIES += $(top_srcdir)/db/queries/fleet.sql
DB_QUERIES += $(top_srcdir)/db/queries/hold.sql
DB_QUERIES += $(top_srcdir)/db/queries/holder.sql
DB_QUERIES += $(top_srcdir)/db/queries/image.sql
DB_QUERIES += $(top_srcdir)/db/queries/instance.sql
DB_QUERIES += $(top_srcdir)/db/queries/keeper.sql
DB_QUERIES += $(top_srcdir)/db/queries/notice.sql
DB_QUERIES += $(top_srcdir)/db/queries/operation.sql
DB_QUERIES += $(top_srcdir)/db/queries/orphan.sql
DB_QUERIES += $(top_srcdir)/db/queries/place.sql
DB_QUERIES += $(top_srcdir)/db/queries/probe.sql
DB_QUERIES += $(top_srcdir)/db/queries/replay.sql
DB_QUERIES += $(top_srcdir)/db/queries/retention.sql
DB_QUERIES += $(top_srcdir)/db/queries/secret.sql
DB_QUERIES += $(top_srcdir)/db/queries/ticket.sql
DB_QUERIES += $(top_srcdir)/db/queries/token.sql
DB_QUERIES += $(top_srcdir)/db/queries/verdict.sql
DB_QUERIES += $(top_srcdir)/db/queries/work.sql
DB_QUERIES += $(top_srcdir)/db/queries/view.sql
DB_MIGRATIONS = $(top_srcdir)/db/migrations/0001_first_tables.sql \
	$(top_srcdir)/db/migrations/0002_what_is_over.sql \
	$(top_srcdir)/db/migrations/0003_tickets_keepers_and_age.sql \
	$(top_srcdir)/db/migrations/0004_endorsements.sql \
	$(top_srcdir)/db/migrations/0006_testimony.sql \
	$(top_srcdir)/db/migrations/0007_freshness.sql \
	$(top_srcdir)/db/migrations/0008_distrust_and_cases.sql \
	$(top_srcdir)/db/migrations/0009_probes.sql \
	$(top_srcdir)/db/migrations/0010_endorsement_turns.sql \
	$(top_srcdir)/db/migrations/0011_verified_at.sql \
	$(top_srcdir)/db/migrations/0012_catalogue.sql
DB_MIGRATIONS += $(top_srcdir)/db/migrations/0013_places_and_leftovers.sql
DB_MIGRATIONS += $(top_srcdir)/db/migrations/0021_suspects.sql
DB_MIGRATIONS += $(top_srcdir)/db/migrations/0022_what_clouds_say.sql
DB_MIGRATIONS += $(top_srcdir)/db/migrations/0023_leftovers.sql
DB_MIGRATIONS += $(top_srcdir)/db/migrations/0024_account_holds.sql
DB_MIGRATIONS += $(top_srcdir)/db/migrations/0025_notices.sql \
	$(top_srcdir)/db/migrations/0026_orphans_by_number.sql \
	$(top_srcdir)/db/migrations/0027_platforms.sql \
	$(top_srcdir)/db/migrations/0028_pages_of_notices.sql \
	$(top_srcdir)/db/migrations/0029_unsupported_orders.sql \
	$(top_srcdir)/db/migrations/0030_unseen_accounts.sql \
	$(top_srcdir)/db/migrations/0031_pages_of_instances.sql \
	$(top_srcdir)/db/migrations/0032_holders.sql

EXTRA_DIST += tools/sql2c $(DB_QUERIES) $(DB_MIGRATIONS)
BUILT_SOURCES += db/statements.h
CLEANFILES += db/statements.h db/statements.c db/migrations.c
SQL2C = $(AM_V_GEN)$(MKDIR_P) db && $(AWK) -f $(top_srcdir)/tools/sql2c

db/statements.h: $(top_srcdir)/tools/sql2c $(DB_QUERIES)
	$(SQL2C) -v make=header $(DB_QUERIES) >$@.new && mv $@.new $@
db/statements.c: $(top_srcdir)/tools/sql2c $(DB_QUERIES)
	$(SQL2C) -v make=table $(DB_QUERIES) >$@.new && mv $@.new $@
db/migrations.c: $(top_srcdir)/tools/sql2c $(DB_MIGRATIONS)
	$(SQL2C) -v make=migrations $(DB_MIGRATIONS) >$@.new && mv $@.new $@
