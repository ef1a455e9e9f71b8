noinst_LIBRARIES += lib/net/libnet.a
lib_net_libnet_a_SOURCES = \
	lib/net/http.c lib/net/http.h \
	lib/net/link.h \
	lib/net/link_replies.c lib/net/link_replies.h \
	lib/net/retry.c lib/net/retry.h
