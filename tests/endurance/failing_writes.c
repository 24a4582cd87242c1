// Makes the k-th write, fsync, rename or open for writing below a folder fail. Loaded by LD_PRELOAD.
//
//   FAILING_UNDER  the folder; calls on anything else go through uncounted
//   FAILING_AT     which call fails, counted from 1 over all threads; 0 for none
//   FAILING_ERRNO  what it fails with
//   FAILING_ON     set and not empty: all calls from that one on fail, as on a disk that stays full
//   FAILING_LOG    file that is told which call failed, and at the end how many there were

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static void tell(const char *text) {
  const char *log = getenv("FAILING_LOG");
  if (log == NULL) {
    return;
  }
  int file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (file >= 0) {
    syscall(SYS_write, file, text, strlen(text));
    syscall(SYS_close, file);
  }
}

__attribute__((destructor)) static void tell_total(void) {
  char text[64];
  snprintf(text, sizeof text, "total %ld\n", atomic_load(&calls));
  tell(text);
}

static int fails(const char *what, const char *path) {
  const char *under = getenv("FAILING_UNDER");
  if (under == NULL || path == NULL || strncmp(path, under, strlen(under)) != 0) {
    return 0;
  }
  const char *at = getenv("FAILING_AT");
  const char *on = getenv("FAILING_ON");
  long wanted = at == NULL ? 0 : atol(at);
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (wanted == 0 || number < wanted || (number > wanted && (on == NULL || *on == '\0'))) {
    return 0;
  }
  if (number == wanted) {
    char text[PATH_MAX + 64];
    snprintf(text, sizeof text, "failed %s %s\n", what, path);
    tell(text);
  }
  const char *code = getenv("FAILING_ERRNO");
  errno = code == NULL ? ENOSPC : atoi(code);
  return 1;
}

static int fails_on(const char *what, int file) {
  char link[64];
  char path[PATH_MAX];
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) {
    return 0;
  }
  path[length] = '\0';
  return fails(what, path);
}

// With a relative path a call goes through: the program under test uses absolute ones.
static int fails_to_open(const char *path, int flags) {
  return (flags & O_ACCMODE) != O_RDONLY && fails("open", path);
}

ssize_t write(int file, const void *data, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) {
    real = next("write");
  }
  return fails_on("write", file) ? -1 : real(file, data, size);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) {
    real = next("pwrite64");
  }
  return fails_on("write", file) ? -1 : real(file, data, size, at);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (real == NULL) {
    real = next("writev");
  }
  return fails_on("write", file) ? -1 : real(file, parts, count);
}

int fsync(int file) {
  static int (*real)(int);
  if (real == NULL) {
    real = next("fsync");
  }
  return fails_on("fsync", file) ? -1 : real(file);
}

int rename(const char *from, const char *to) {
  static int (*real)(const char *, const char *);
  if (real == NULL) {
    real = next("rename");
  }
  return fails("rename", to) ? -1 : real(from, to);
}

int mkdir(const char *path, mode_t mode) {
  static int (*real)(const char *, mode_t);
  if (real == NULL) {
    real = next("mkdir");
  }
  return fails("mkdir", path) ? -1 : real(path, mode);
}

#define OPEN(name)                                                    \
  int name(const char *path, int flags, ...) {                       \
    static int (*real)(const char *, int, ...);                      \
    mode_t mode = 0;                                                  \
    if (real == NULL) {                                               \
      real = next(#name);                                             \
    }                                                                 \
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                       \
      va_list rest;                                                   \
      va_start(rest, flags);                                          \
      mode = (mode_t)va_arg(rest, int);                               \
      va_end(rest);                                                   \
    }                                                                 \
    return fails_to_open(path, flags) ? -1 : real(path, flags, mode); \
  }

#define OPENAT(name)                                                          \
  int name(int folder, const char *path, int flags, ...) {                   \
    static int (*real)(int, const char *, int, ...);                         \
    mode_t mode = 0;                                                          \
    if (real == NULL) {                                                       \
      real = next(#name);                                                     \
    }                                                                         \
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                               \
      va_list rest;                                                           \
      va_start(rest, flags);                                                  \
      mode = (mode_t)va_arg(rest, int);                                       \
      va_end(rest);                                                           \
    }                                                                         \
    return fails_to_open(path, flags) ? -1 : real(folder, path, flags, mode); \
  }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
