noinst_LIBRARIES += agent/libagent.a
agent_libagent_a_SOURCES = \
	agent/hook.c agent/hook.h \
	agent/secrets.c agent/secrets.h \
	agent/settings.c agent/settings.h \
	agent/tee.c agent/tee.h \
	agent/tee_snp.c agent/tee_snp.h \
	agent/userdata.c agent/userdata.h
# Production packages are configured with --disable-simulation (trust.md section 3).
if SIMULATION
agent_libagent_a_SOURCES += agent/tee_simulated.c
endif
