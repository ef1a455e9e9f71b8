/* AWS's own description of EC2 and STS, as botocore has it: does an answer fit it? */
#ifndef MUSTER_TESTS_AWS_MODEL_H
#define MUSTER_TESTS_AWS_MODEL_H

#include "lib/base/json.h"

/* The description that has this action of "ec2" or "sts": the one of the vectors, or for what
 * machines leave behind our own excerpt. Fails the test where none has it. The caller releases it.
 */
json_t *aws_model(const char *service, const char *action);

/* What a reference ({"shape": NAME}) refers to. */
const json_t *aws_model_shape(const json_t *model, const json_t *reference);

/* The whole body of an answer: every element is one that the model knows at that place, and every
 * value is of its type. Fails the test otherwise. */
void aws_model_check_answer(const char *service, const char *action, const char *body);

#endif
