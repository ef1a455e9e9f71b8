noinst_LIBRARIES += lib/net/libnet.a
lib_net_libnet_a_SOURCES = \
	lib/net/compat.h \
	lib/net/http.c lib/net/http.h \
	lib/net/link.c lib/net/link.h \
	lib/net/link_address.c lib/net/link_address.h \
	lib/net/link_connect.c \
	lib/net/link_frame.c lib/net/link_frame.h \
	lib/net/link_inside.h \
	lib/net/link_peer.c \
	lib/net/link_replies.c lib/net/link_replies.h \
	lib/net/link_tls.c lib/net/link_tls.h \
	lib/net/retry.c lib/net/retry.h
