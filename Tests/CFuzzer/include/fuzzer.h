#pragma once

#include <stddef.h>
#include <stdint.h>

/// libFuzzer as a library ("Using libFuzzer as a library" in LLVM's libFuzzer.rst): runs until `target` crashes, or as
/// long as the arguments say.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));
