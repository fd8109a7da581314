// Functions that the libraries in a portable program use, and that glibc 2.31 and the C++ library of GCC 10 lack. They
// are hidden, so that the libraries of a newer system keep their own.
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

#define HIDDEN __attribute__((visibility("hidden")))

/// Fills memory with random bytes, as in glibc 2.36, for expat.
HIDDEN void arc4random_buf(void *bytes, size_t byte_count) {
    unsigned char *next = bytes;
    while (byte_count > 0) {
        ssize_t count = getrandom(next, byte_count, 0);
        if (count < 0) {
            if (errno != EINTR) abort();
            continue;
        }
        next += count;
        byte_count -= (size_t)count;
    }
}

/// Tells the C++ library, as in glibc 2.32, that there may be several threads.
HIDDEN char __libc_single_threaded = 0;

/// std::__throw_bad_array_new_length() of GCC 11, for Swift's runtime, which is built without exceptions.
HIDDEN __attribute__((noreturn)) void _ZSt28__throw_bad_array_new_lengthv(void) { abort(); }
