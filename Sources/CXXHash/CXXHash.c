// Header-only, so that the hash is inlined and nothing has to be linked.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "CXXHash.h"

uint64_t tractfs_xxh3_64(const void *bytes, size_t byte_count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, byte_count, seed);
}
