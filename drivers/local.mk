noinst_LIBRARIES += drivers/libdrivers.a
drivers_libdrivers_a_SOURCES = \
	drivers/driver.h drivers/drivers.c \
	drivers/catalogue.c drivers/catalogue.h \
	drivers/credential_file.c drivers/credential_file.h \
	drivers/manners.c drivers/manners.h \
	drivers/pace.c drivers/pace.h \
	drivers/rest.c drivers/rest.h \
	drivers/aws/aws.c \
	drivers/aws/aws_read.c drivers/aws/aws_read.h \
	drivers/aws/aws_limits.c drivers/aws/aws_limits.h \
	drivers/aws/credentials.c drivers/aws/credentials.h \
	drivers/aws/profile.c drivers/aws/profile.h \
	drivers/aws/sign_in.c drivers/aws/sign_in.h \
	drivers/aws/sign_in_metadata.c drivers/aws/sign_in_profile.c \
	drivers/aws/signed.c drivers/aws/signed.h \
	drivers/aws/ec2_answers.c drivers/aws/ec2_answers.h \
	drivers/aws/ec2_errors.c drivers/aws/ec2_errors.h \
	drivers/aws/ec2_leftovers.c drivers/aws/ec2_leftovers.h \
	drivers/aws/ec2_requests.c drivers/aws/ec2_requests.h \
	drivers/azure/azure_leftovers.c drivers/azure/azure_leftovers.h \
	drivers/azure/azure_limits.c drivers/azure/azure_limits.h \
	drivers/azure/azure.c \
	drivers/azure/azure_calls.c drivers/azure/azure_calls.h \
	drivers/azure/azure_answers.c drivers/azure/azure_answers.h \
	drivers/azure/azure_errors.c drivers/azure/azure_errors.h \
	drivers/azure/azure_offers.c drivers/azure/azure_offers.h \
	drivers/azure/azure_read.c drivers/azure/azure_read.h \
	drivers/azure/azure_requests.c drivers/azure/azure_requests.h \
	drivers/azure/azure_token.c drivers/azure/azure_token.h \
	drivers/gcp/gcp.c \
	drivers/gcp/gcp_calls.c drivers/gcp/gcp_calls.h \
	drivers/gcp/gcp_answers.c drivers/gcp/gcp_answers.h \
	drivers/gcp/gcp_credentials.c drivers/gcp/gcp_credentials.h \
	drivers/gcp/gcp_errors.c drivers/gcp/gcp_errors.h \
	drivers/gcp/gcp_offers.c drivers/gcp/gcp_offers.h \
	drivers/gcp/gcp_leftovers.c drivers/gcp/gcp_leftovers.h \
	drivers/gcp/gcp_limits.c drivers/gcp/gcp_limits.h \
	drivers/gcp/gcp_read.c drivers/gcp/gcp_read.h \
	drivers/gcp/gcp_requests.c drivers/gcp/gcp_requests.h \
	drivers/gcp/gcp_token.c drivers/gcp/gcp_token.h

# The editions that come with it are compiled in, and installed for people to read and to start
# their own from.
CATALOGUE_TEXTS = drivers/catalogue_current.c drivers/catalogue_seed_2025.c
nodist_drivers_libdrivers_a_SOURCES = $(CATALOGUE_TEXTS)
cataloguedir = $(pkgdatadir)/catalogue
dist_catalogue_DATA = drivers/catalogue/current.json drivers/catalogue/seed-2025.json
CLEANFILES += $(CATALOGUE_TEXTS)
drivers/catalogue_current.c: $(top_srcdir)/tools/text2c $(top_srcdir)/drivers/catalogue/current.json
	$(AM_V_GEN)$(MKDIR_P) drivers && \
	$(AWK) -f $(top_srcdir)/tools/text2c -v name=catalogue_current_json $(top_srcdir)/drivers/catalogue/current.json >$@.new && \
	mv $@.new $@
drivers/catalogue_seed_2025.c: $(top_srcdir)/tools/text2c $(top_srcdir)/drivers/catalogue/seed-2025.json
	$(AM_V_GEN)$(MKDIR_P) drivers && \
	$(AWK) -f $(top_srcdir)/tools/text2c -v name=catalogue_seed_2025_json $(top_srcdir)/drivers/catalogue/seed-2025.json >$@.new && \
	mv $@.new $@
