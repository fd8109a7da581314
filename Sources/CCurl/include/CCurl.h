#ifndef TRACTFS_CCURL_H
#define TRACTFS_CCURL_H
#endif
