# One module a line, sorted.
noinst_LIBRARIES += lib/net/libnet.a
lib_net_libnet_a_SOURCES =
lib_net_libnet_a_SOURCES += lib/net/compat.h
lib_net_libnet_a_SOURCES += lib/net/http.c lib/net/http.h
lib_net_libnet_a_SOURCES += lib/net/link.c lib/net/link.h
lib_net_libnet_a_SOURCES += lib/net/link_address.c lib/net/link_address.h
lib_net_libnet_a_SOURCES += lib/net/link_connect.c
lib_net_libnet_a_SOURCES += lib/net/link_frame.c lib/net/link_frame.h
lib_net_libnet_a_SOURCES += lib/net/link_inside.h
lib_net_libnet_a_SOURCES += lib/net/link_peer.c
lib_net_libnet_a_SOURCES += lib/net/link_replies.c lib/net/link_replies.h
lib_net_libnet_a_SOURCES += lib/net/link_send.c
lib_net_libnet_a_SOURCES += lib/net/link_tls.c lib/net/link_tls.h
lib_net_libnet_a_SOURCES += lib/net/retry.c lib/net/retry.h
