#ifndef TRACTFS_CEXPAT_H
#define TRACTFS_CEXPAT_H
#include <expat.h>
#endif
