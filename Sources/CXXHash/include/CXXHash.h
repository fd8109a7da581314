#ifndef TRACTFS_CXXHASH_H
#define TRACTFS_CXXHASH_H

#include <stddef.h>
#include <stdint.h>

/// XXH3, 64 bits, of `byte_count` bytes.
uint64_t tractfs_xxh3_64(const void *bytes, size_t byte_count, uint64_t seed);

#endif
