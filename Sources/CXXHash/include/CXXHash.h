#ifndef TRACTFS_CXXHASH_H
#define TRACTFS_CXXHASH_H

#include <stddef.h>
#include <stdint.h>

/// XXH3, 64 bits, of `byte_count` bytes.
uint64_t tractfs_xxh3_64(const void *bytes, size_t byte_count, uint64_t seed);

/// A hash of 128 bits.
struct tractfs_hash128 {
    uint64_t high;
    uint64_t low;
};

/// XXH3, 128 bits, of `byte_count` bytes.
struct tractfs_hash128 tractfs_xxh3_128(const void *bytes, size_t byte_count);

#endif
