/* The dearest shapes of input that strangers can send, each at the limit of who reads it or far
 * beyond. */
#ifndef MUSTER_TESTS_HOSTILE_H
#define MUSTER_TESTS_HOSTILE_H

#include "lib/base/bytes.h"

enum { MIB = 1 << 20 };

typedef void make_fn(struct bytes *out);

void hostile_text(struct bytes *out, const char *text);
/* `unit` again and again, up to `most` bytes. */
void hostile_fill(struct bytes *out, const char *unit, size_t most);
void hostile_filled(struct bytes *out, const char *before, const char *unit, const char *after,
                    size_t most);

/* JSON and CBOR */
make_fn json_nested_a_million_deep;
make_fn json_of_numbers;
make_fn json_of_objects;
make_fn json_of_members;
make_fn json_of_as_many_numbers_as_are_taken;
make_fn json_of_as_many_strings_as_are_taken;
make_fn json_of_as_many_objects_as_are_taken;
make_fn json_of_as_many_full_objects_as_are_taken;
make_fn json_of_as_many_lists_as_are_taken;
make_fn json_of_as_many_members_as_are_taken;
make_fn json_of_one_member_again_and_again;
make_fn json_of_one_long_string;
make_fn json_of_one_long_number;
make_fn json_of_a_gigabyte;
make_fn policy_of_sets;
make_fn policy_of_members;
make_fn charter_of_policies;
make_fn claims_of_keys;
make_fn evidence_of_certificates;
make_fn thim_of_members;
make_fn cbor_nested_a_million_deep;
make_fn cbor_that_declares_two_to_the_30th;
make_fn document_nested_as_deep_as_it_goes;
make_fn document_of_registers_without_end;
make_fn document_with_two_to_the_30th_registers;

/* Certificates and lists of them */
make_fn certificate_with_a_giant_serial_number;
make_fn certificate_with_a_giant_key;
make_fn certificate_with_names_without_end;
make_fn certificate_with_a_huge_oid;
make_fn certificate_with_one_extension_again_and_again;
make_fn certificate_with_one_huge_extension;
make_fn der_nested_as_deep_as_it_goes;
make_fn der_of_a_certificate_of_4_gib;
make_fn pem_of_ten_thousand_certificates;
make_fn pem_of_certificates_with_names_without_end;
make_fn pem_that_never_begins;
make_fn list_of_revocations_as_long_as_it_may_be;
make_fn list_of_a_hundred_thousand_revocations;
make_fn table_of_ten_thousand_certificates;
make_fn table_whose_blobs_are_all_the_same;
make_fn table_of_certificates_in_pem;

/* Boot logs */
make_fn log_of_many_tiny_events;
make_fn log_of_many_events_with_many_digests;
make_fn log_of_events_without_digests;
make_fn log_of_as_many_types_as_events;
make_fn log_of_one_huge_event;
make_fn log_of_huge_kernel_words;
make_fn log_that_claims_4_gb;

#endif
