// Makes one allocation fail, when the process that has loaded this asks for it. Loaded by LD_PRELOAD.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

static size_t least;
static int passed = -1;  // How many allocations of that size go through before one fails; -1: all.

void fail_allocation(size_t least_bytes, int after) {
  least = least_bytes;
  passed = after;
}

static int fails(size_t size) { return passed >= 0 && size >= least && passed-- == 0; }

void *malloc(size_t size) {
  static void *(*real)(size_t);
  if (real == NULL) {
    real = dlsym(RTLD_NEXT, "malloc");
  }
  return fails(size) ? NULL : real(size);
}

void *calloc(size_t count, size_t size) {
  static void *(*real)(size_t, size_t);
  static char first[4096];  // dlsym itself allocates.
  static size_t used;
  static int looking;
  if (real == NULL && looking) {
    char *given = first + used;
    used += (count * size + 15) & ~(size_t)15;
    return given;
  }
  if (real == NULL) {
    looking = 1;
    real = dlsym(RTLD_NEXT, "calloc");
  }
  return fails(count * size) ? NULL : real(count, size);
}
