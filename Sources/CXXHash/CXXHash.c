// Header-only, so that the hash is inlined and nothing has to be linked.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "CXXHash.h"

uint64_t tractfs_xxh3_64(const void *bytes, size_t byte_count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, byte_count, seed);
}

struct tractfs_hash128 tractfs_xxh3_128(const void *bytes, size_t byte_count) {
    XXH128_hash_t hash = XXH3_128bits(bytes, byte_count);
    return (struct tractfs_hash128){.high = hash.high64, .low = hash.low64};
}
