/* Faults on demand, loaded before the C library (LD_PRELOAD): of the calls of one kind on files
   whose path has a text in it, those from the Nth on fail with an errno, or the process is killed
   before the Nth. So a fault comes where it is wanted, in SQLite, in Python and anywhere else.

   FAULT_KIND   read, write, sync, lock, or change (write, sync, truncation, renaming, unlinking)
   FAULT_PATH   a part of the file's path
   FAULT_AT     N; 0: never
   FAULT_ERRNO  a number; 0: kill
   FAULT_TIMES  how many calls fail; 0: all from then on
   FAULT_COUNT  a file that gets the number of such calls, at the end of the process */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *kind, *part;
static long at, number, times, calls;

__attribute__((constructor)) static void begin(void) {
    const char *text;
    kind = getenv("FAULT_KIND");
    part = getenv("FAULT_PATH");
    at = (text = getenv("FAULT_AT")) ? atol(text) : 0;
    number = (text = getenv("FAULT_ERRNO")) ? atol(text) : 0;
    times = (text = getenv("FAULT_TIMES")) ? atol(text) : 0;
}

__attribute__((destructor)) static void end(void) {
    const char *name = getenv("FAULT_COUNT");
    FILE *file = name ? fopen(name, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", calls);
        fclose(file);
    }
}

/* Whether this call is to fail. */
static int hit_path(const char *what, int changes, const char *path) {
    if (!kind || !part || !strstr(path, part)) return 0;
    if (strcmp(kind, what) && !(changes && !strcmp(kind, "change"))) return 0;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (!at || call < at || (times && call >= at + times)) return 0;
    if (!number) raise(SIGKILL);
    errno = (int)number;
    return 1;
}

static int hit(const char *what, int changes, int fd) {
    char name[64], path[PATH_MAX];
    if (!kind) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return hit_path(what, changes, path);
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

#define ON_FD(type, name, what, changes, declared, given, ...)        \
    type name declared {                                              \
        static type (*real)(__VA_ARGS__);                             \
        if (!real) real = REAL(type, name, __VA_ARGS__);              \
        return hit(what, changes, fd) ? (type)-1 : real given;        \
    }

ON_FD(ssize_t, read, "read", 0, (int fd, void *to, size_t n), (fd, to, n), int, void *, size_t)
ON_FD(ssize_t, pread, "read", 0, (int fd, void *to, size_t n, off_t where), (fd, to, n, where),
      int, void *, size_t, off_t)
ON_FD(ssize_t, pread64, "read", 0, (int fd, void *to, size_t n, off64_t where),
      (fd, to, n, where), int, void *, size_t, off64_t)
ON_FD(ssize_t, write, "write", 1, (int fd, const void *from, size_t n), (fd, from, n),
      int, const void *, size_t)
ON_FD(ssize_t, send, "write", 1, (int fd, const void *from, size_t n, int flags),
      (fd, from, n, flags), int, const void *, size_t, int)
ON_FD(ssize_t, pwrite, "write", 1, (int fd, const void *from, size_t n, off_t where),
      (fd, from, n, where), int, const void *, size_t, off_t)
ON_FD(ssize_t, pwrite64, "write", 1, (int fd, const void *from, size_t n, off64_t where),
      (fd, from, n, where), int, const void *, size_t, off64_t)
ON_FD(int, fsync, "sync", 1, (int fd), (fd), int)
ON_FD(int, fdatasync, "sync", 1, (int fd), (fd), int)
ON_FD(int, ftruncate, "write", 1, (int fd, off_t size), (fd, size), int, off_t)
ON_FD(int, ftruncate64, "write", 1, (int fd, off64_t size), (fd, size), int, off64_t)

int unlink(const char *path) {
    static int (*real)(const char *);
    if (!real) real = REAL(int, unlink, const char *);
    return hit_path("unlink", 1, path) ? -1 : real(path);
}

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = REAL(int, rename, const char *, const char *);
    return hit_path("rename", 1, from) ? -1 : real(from, to);
}

#define LOCKS(name)                                                            \
    int name(int fd, int command, ...) {                                       \
        static int (*real)(int, int, ...);                                     \
        va_list rest;                                                          \
        va_start(rest, command);                                               \
        void *argument = va_arg(rest, void *);                                 \
        va_end(rest);                                                          \
        if (!real) real = REAL(int, name, int, int, ...);                      \
        if (command == F_SETLK || command == F_SETLKW || command == F_GETLK)   \
            if (hit("lock", 0, fd)) return -1;                                 \
        return real(fd, command, argument);                                    \
    }

LOCKS(fcntl)
LOCKS(fcntl64)
