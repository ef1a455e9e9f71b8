# Not called libcrypto, for the linker would take it for OpenSSL's. One module a line, sorted.
noinst_LIBRARIES += lib/crypto/libcrypto_door.a
lib_crypto_libcrypto_door_a_SOURCES =
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/aead.c lib/crypto/aead.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/cert.c lib/crypto/cert.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/der.c lib/crypto/der.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/digest.c lib/crypto/digest.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/kek.c lib/crypto/kek.h lib/crypto/kek_file.c
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/locked.c lib/crypto/locked.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/p384.c lib/crypto/p384.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/random.c lib/crypto/random.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/seal.c lib/crypto/seal.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/seal_shape.c lib/crypto/seal_shape.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/sign.c lib/crypto/sign.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/sigv4.c lib/crypto/sigv4.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/token.c lib/crypto/token.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/x509.c lib/crypto/x509.h
lib_crypto_libcrypto_door_a_SOURCES += lib/crypto/x509_make.c lib/crypto/x509_make.h
