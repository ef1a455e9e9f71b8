/* Azure's error codes in the words of driver.h: one table. */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_ERRORS_H
#define MUSTER_DRIVERS_AZURE_AZURE_ERRORS_H

#include "drivers/driver.h"

/* CLOUD_ERROR_COUNT when the table does not know the code. `message` tells what too little capacity
 * allowed to us is from what a state does not allow. */
enum cloud_error arm_code_kind(const char *code, const char *message);
enum cloud_error arm_status_kind(int status);

#endif
