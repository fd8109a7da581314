#ifndef TRACTFS_CFUSE_H
#define TRACTFS_CFUSE_H
#endif
