noinst_LIBRARIES += agent/libagent.a
agent_libagent_a_SOURCES =
