/*
 * A library to preload: makes the n-th call about a file below $FAULTS_DIR fail, transfer only half of its bytes, or kill the
 * process.
 *
 * The test writes what to do into the file $FAULTS_CONTROL, which is mapped here, as 64-bit words: see `enum word`. Calls about
 * other files, such as those of Node.js, are never changed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum word { MASK, FROM, TIMES, ACTION, ERRNO, CALLS, FIRED, LAST, CLOCK, WORDS };
enum action { NOTHING, FAIL, SHORT, HALF_FAIL, KILL_BEFORE, KILL_AFTER, HALF_KILL };
/* The order is that of CALLS in control.mjs. */
enum call { OPEN, FSTAT, LSTAT, FLOCK, SYNC, TRUNCATE, ALLOCATE, READ, WRITE, RENAME, UNLINK, MKDIR, OPENDIR, MMAP, STATFS };

static _Atomic int64_t own_words[WORDS];
static _Atomic int64_t *control = own_words;
static const char *dir;
static size_t dir_len;
static _Atomic unsigned char ours[1 << 16];

#define REAL(name) ({ static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

__attribute__((constructor)) static void begin(void) {
  dir = getenv("FAULTS_DIR");
  const char *path = getenv("FAULTS_CONTROL");
  if (!dir || !path) return;
  dir_len = strlen(dir);
  int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *at = REAL(mmap)(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) control = at;
  close(fd);
}

static int path_is_ours(const char *path) { return dir_len && path && strncmp(path, dir, dir_len) == 0; }
static int fd_is_ours(int fd) { return fd >= 0 && fd < (int)sizeof ours && ours[fd]; }
static int note(int fd, int is_ours) {
  if (fd >= 0 && fd < (int)sizeof ours) ours[fd] = is_ours;
  return fd;
}
static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

/* Counts a call, and returns what to do with it. */
static enum action ask(enum call call, int is_ours) {
  if (!is_ours || !(control[MASK] & (1LL << call))) return NOTHING;
  int64_t n = atomic_fetch_add(&control[CALLS], 1) + 1, from = control[FROM], times = control[TIMES];
  enum action action = control[ACTION];
  if (action == NOTHING || n < from || (times && n >= from + times)) return NOTHING;
  atomic_fetch_add(&control[FIRED], 1);
  control[LAST] = call;
  if (action == KILL_BEFORE) die();
  /* A call that transfers no bytes cannot be done by half: it is done completely, or not at all. */
  if (call != READ && call != WRITE) {
    if (action == SHORT) return NOTHING;
    if (action == HALF_FAIL) return FAIL;
    if (action == HALF_KILL) return KILL_AFTER;
  }
  return action;
}

#define GUARD(call, is_ours, failure, doing)                        \
  ({                                                                \
    enum action action_ = ask(call, is_ours);                       \
    __typeof__(doing) result_;                                      \
    if (action_ == FAIL) { errno = (int)control[ERRNO]; result_ = failure; } \
    else result_ = doing;                                           \
    if (action_ == KILL_AFTER) die();                               \
    result_;                                                        \
  })

#define OPENING(name, at, before)                                                                   \
  {                                                                                                 \
    va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more);          \
    int is_ours = path_is_ours(path);                                                               \
    return note(GUARD(OPEN, is_ours, -1, REAL(name) before), is_ours);                              \
  }
int open(const char *path, int flags, ...) OPENING(open, , (path, flags, mode))
int open64(const char *path, int flags, ...) OPENING(open64, , (path, flags, mode))
int openat(int at, const char *path, int flags, ...) OPENING(openat, at, (at, path, flags, mode))
int openat64(int at, const char *path, int flags, ...) OPENING(openat64, at, (at, path, flags, mode))

#define STATING(name, call, is_ours, type, params, args) \
  type name params { return GUARD(call, is_ours, -1, REAL(name) args); }
STATING(fstat, FSTAT, fd_is_ours(fd), int, (int fd, struct stat *to), (fd, to))
STATING(fstat64, FSTAT, fd_is_ours(fd), int, (int fd, struct stat64 *to), (fd, to))
/* Finds out how long a file is, as fstat does. */
STATING(lseek, FSTAT, fd_is_ours(fd), off_t, (int fd, off_t at, int how), (fd, at, how))
STATING(lseek64, FSTAT, fd_is_ours(fd), off64_t, (int fd, off64_t at, int how), (fd, at, how))
STATING(lstat, LSTAT, path_is_ours(path), int, (const char *path, struct stat *to), (path, to))
STATING(lstat64, LSTAT, path_is_ours(path), int, (const char *path, struct stat64 *to), (path, to))
STATING(stat, LSTAT, path_is_ours(path), int, (const char *path, struct stat *to), (path, to))
STATING(stat64, LSTAT, path_is_ours(path), int, (const char *path, struct stat64 *to), (path, to))
STATING(fstatat, LSTAT, path_is_ours(path), int, (int at, const char *path, struct stat *to, int how), (at, path, to, how))
STATING(fstatat64, LSTAT, path_is_ours(path), int, (int at, const char *path, struct stat64 *to, int how), (at, path, to, how))
STATING(statx, LSTAT, path_is_ours(path) || fd_is_ours(at), int,
        (int at, const char *path, int how, unsigned mask, struct statx *to), (at, path, how, mask, to))
STATING(fstatfs64, STATFS, fd_is_ours(fd), int, (int fd, struct statfs64 *to), (fd, to))
/* The only error that unlocking can return is EINTR. */
STATING(flock, FLOCK, fd_is_ours(fd) && (!(how & LOCK_UN) || control[ERRNO] == EINTR), int, (int fd, int how), (fd, how))
STATING(fsync, SYNC, fd_is_ours(fd), int, (int fd), (fd))
STATING(fdatasync, SYNC, fd_is_ours(fd), int, (int fd), (fd))
STATING(ftruncate, TRUNCATE, fd_is_ours(fd), int, (int fd, off_t len), (fd, len))
STATING(ftruncate64, TRUNCATE, fd_is_ours(fd), int, (int fd, off64_t len), (fd, len))
STATING(fallocate, ALLOCATE, fd_is_ours(fd), int, (int fd, int how, off_t at, off_t len), (fd, how, at, len))
STATING(fallocate64, ALLOCATE, fd_is_ours(fd), int, (int fd, int how, off64_t at, off64_t len), (fd, how, at, len))
STATING(rename, RENAME, path_is_ours(to), int, (const char *from, const char *to), (from, to))
STATING(unlink, UNLINK, path_is_ours(path), int, (const char *path), (path))
STATING(mkdir, MKDIR, path_is_ours(path), int, (const char *path, mode_t mode), (path, mode))
DIR *opendir(const char *path) { return GUARD(OPENDIR, path_is_ours(path), NULL, REAL(opendir)(path)); }

#define MOVING(name, call, type, offset_type)                                        \
  ssize_t name(int fd, type bytes, size_t len, offset_type at) {                     \
    enum action action = ask(call, fd_is_ours(fd));                                  \
    if (action == FAIL) { errno = (int)control[ERRNO]; return -1; }                  \
    int part = action == SHORT || action == HALF_FAIL || action == HALF_KILL;        \
    ssize_t done = REAL(name)(fd, bytes, part && len > 1 ? len / 2 : len, at);       \
    if (action == HALF_KILL || action == KILL_AFTER) die();                          \
    if (action == HALF_FAIL) { errno = (int)control[ERRNO]; return -1; }             \
    return done;                                                                     \
  }
MOVING(pread, READ, void *, off_t)
MOVING(pread64, READ, void *, off64_t)
MOVING(pwrite, WRITE, const void *, off_t)
MOVING(pwrite64, WRITE, const void *, off64_t)

#define STREAMING(name, call, type)                                                  \
  ssize_t name(int fd, type bytes, size_t len) {                                     \
    enum action action = ask(call, fd_is_ours(fd));                                  \
    if (action == FAIL) { errno = (int)control[ERRNO]; return -1; }                  \
    int part = action == SHORT || action == HALF_FAIL || action == HALF_KILL;        \
    ssize_t done = REAL(name)(fd, bytes, part && len > 1 ? len / 2 : len);           \
    if (action == HALF_KILL || action == KILL_AFTER) die();                          \
    if (action == HALF_FAIL) { errno = (int)control[ERRNO]; return -1; }             \
    return done;                                                                     \
  }
STREAMING(read, READ, void *)
STREAMING(write, WRITE, const void *)

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t from) {
  return GUARD(MMAP, fd_is_ours(fd), MAP_FAILED, REAL(mmap)(at, len, prot, flags, fd, from));
}
void *mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t from) {
  return GUARD(MMAP, fd_is_ours(fd), MAP_FAILED, REAL(mmap64)(at, len, prot, flags, fd, from));
}

int clock_gettime(clockid_t id, struct timespec *to) {
  int done = REAL(clock_gettime)(id, to);
  if (id == CLOCK_REALTIME && done == 0) to->tv_sec += control[CLOCK];
  return done;
}
