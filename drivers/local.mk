noinst_LIBRARIES += drivers/libdrivers.a
drivers_libdrivers_a_SOURCES = \
	drivers/driver.h drivers/drivers.c \
	drivers/rest.c drivers/rest.h \
	drivers/aws/aws.c \
	drivers/aws/aws_read.c drivers/aws/aws_read.h \
	drivers/aws/credentials.c drivers/aws/credentials.h \
	drivers/aws/ec2_answers.c drivers/aws/ec2_answers.h \
	drivers/aws/ec2_errors.c drivers/aws/ec2_errors.h \
	drivers/aws/ec2_requests.c drivers/aws/ec2_requests.h
