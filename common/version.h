/* The version, in one place. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define KEEPGATE_VERSION "0.1.0"

#endif
