noinst_LIBRARIES += agent/libagent.a
agent_libagent_a_SOURCES = \
	agent/appraisal.c agent/appraisal.h \
	agent/boot_log.c agent/boot_log.h \
	agent/envelope.c agent/envelope.h \
	agent/evidence_command.c agent/evidence_command.h \
	agent/helper.c agent/helper.h \
	agent/hook.c agent/hook.h \
	agent/local_ask.c agent/local_ask.h \
	agent/local_request.c agent/local_request.h \
	agent/local_socket.c agent/local_socket.h \
	agent/metadata_client.c agent/metadata_client.h \
	agent/metadata_source.c agent/metadata_source.h \
	agent/passport_command.c agent/passport_command.h \
	agent/passports.c agent/passports.h \
	agent/nsm.c agent/nsm.h \
	agent/secrets.c agent/secrets.h \
	agent/session.c agent/session.h \
	agent/settings.c agent/settings.h \
	agent/shown.c agent/shown.h \
	agent/tee.c agent/tee.h \
	agent/tee_azure.c \
	agent/tee_nitro.c \
	agent/tee_snp.c \
	agent/tee_vtpm.c agent/tee_vtpm.h \
	agent/thim_source.c agent/thim_source.h \
	agent/tpm.c agent/tpm.h agent/tpm_attest.c agent/tpm_document.c agent/tpm_inside.h agent/tpm_key.c agent/tpm_nv.c \
	agent/tsm.c agent/tsm.h \
	agent/userdata.c agent/userdata.h
# Production packages are configured with --disable-simulation (trust.md section 3).
if SIMULATION
agent_libagent_a_SOURCES += agent/tee_simulated.c
endif

# No SQL, no HTTP: tests/e2e/agent_links_little.sh looks.
AGENT_LIBS = $(ATTEST_LIBS) $(MODEL_LIBS) lib/net/libnet.a $(CRYPTO_LIBS) $(NNG_LIBS) $(TSS_LIBS)
sbin_PROGRAMS += agent/muster-agent
agent_muster_agent_SOURCES = agent/main.c
agent_muster_agent_LDADD = agent/libagent.a $(AGENT_LIBS)

# The HTTP that clouds' hosts want, away from where secrets are.
libexec_PROGRAMS += agent/muster-agent-metadata agent/muster-agent-thim
agent_muster_agent_metadata_SOURCES = agent/metadata_main.c
agent_muster_agent_metadata_LDADD = agent/libagent.a $(ATTEST_LIBS) $(MODEL_LIBS) $(NET_LIBS)
agent_muster_agent_thim_SOURCES = agent/thim_main.c
agent_muster_agent_thim_LDADD = $(NET_LIBS)

# What --disable-simulation leaves, so that a test can look at it in any build.
EXTRA_PROGRAMS += agent/muster-agent-production
agent_muster_agent_production_SOURCES = agent/main.c agent/settings.c agent/tee.c
agent_muster_agent_production_CPPFLAGS = $(AM_CPPFLAGS) -UMUSTER_SIMULATION
agent_muster_agent_production_LDADD = agent/libagent.a $(AGENT_LIBS)
CLEANFILES += agent/muster-agent-production

dist_man_MANS += agent/muster-agent.8
