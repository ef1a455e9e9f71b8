/* `muster image add`: from firmware files to a charter's reference. */
#ifndef MUSTER_CLI_IMAGE_H
#define MUSTER_CLI_IMAGE_H

int image_main(int argc, char **argv);

#endif
