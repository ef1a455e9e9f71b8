noinst_LIBRARIES += keeper/libkeeper.a
keeper_libkeeper_a_SOURCES =
keeper_libkeeper_a_SOURCES += keeper/alterations.c keeper/alterations.h
keeper_libkeeper_a_SOURCES += keeper/appraise.c
keeper_libkeeper_a_SOURCES += keeper/claims.c keeper/claims.h
keeper_libkeeper_a_SOURCES += keeper/desk.c
keeper_libkeeper_a_SOURCES += keeper/destroy.c
keeper_libkeeper_a_SOURCES += keeper/keeper.c keeper/keeper.h keeper/inside.h
keeper_libkeeper_a_SOURCES += keeper/makers.c keeper/makers.h
keeper_libkeeper_a_SOURCES += keeper/nonces.c keeper/nonces.h
keeper_libkeeper_a_SOURCES += keeper/opinion.c
keeper_libkeeper_a_SOURCES += keeper/passport.c
keeper_libkeeper_a_SOURCES += keeper/probes.c keeper/probes.h
keeper_libkeeper_a_SOURCES += keeper/release.c
keeper_libkeeper_a_SOURCES += keeper/reset.c
keeper_libkeeper_a_SOURCES += keeper/resume.c
keeper_libkeeper_a_SOURCES += keeper/sandbox.c keeper/sandbox.h
keeper_libkeeper_a_SOURCES += keeper/settings.c keeper/settings.h
keeper_libkeeper_a_SOURCES += keeper/standing.c
keeper_libkeeper_a_SOURCES += keeper/testify.c
keeper_libkeeper_a_SOURCES += keeper/token_alterations.c keeper/token_alterations.h
keeper_libkeeper_a_SOURCES += keeper/vault.c keeper/vault.h

sbin_PROGRAMS += keeper/muster-keeper
keeper_muster_keeper_SOURCES = keeper/main.c
keeper_muster_keeper_LDADD = keeper/libkeeper.a $(ATTEST_LIBS) $(MODEL_LIBS) lib/net/libnet.a \
	$(CRYPTO_LIBS) $(NNG_LIBS) $(SECCOMP_LIBS)
dist_man_MANS += keeper/muster-keeper.8
