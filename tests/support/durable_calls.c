/* Counts a process's durable calls, in all its threads, and lets one of them be its last or fail. For LD_PRELOAD.

   Durable are calls that change what a crash leaves: names and bytes of files below one folder, their fsyncs, and what
   is sent to a PostgreSQL server. They are counted by the process whose number stands in a file that is shared with the
   test (durable_calls.py describes the same fields); its children inherit this library and are not counted. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { NOTHING, KILL, FAIL };

/* Kernel's names, in the order of durable_calls.NAMES. */
enum call {
  C_FSYNC, C_FDATASYNC, C_RENAME, C_RENAMEAT, C_RENAMEAT2, C_LINK, C_LINKAT, C_SYMLINK, C_SYMLINKAT, C_UNLINK,
  C_UNLINKAT, C_RMDIR, C_MKDIR, C_MKDIRAT, C_OPENAT, C_WRITE, C_PWRITE64, C_WRITEV, C_PWRITEV, C_FTRUNCATE,
  C_TRUNCATE, C_COPY_FILE_RANGE, C_SENDFILE, C_SENDTO, C_SENDMSG, CALLS
};

#define ANY_PROCESS UINT32_MAX
#define TOLD 256
#define TRACED 16384

struct traced {
  _Atomic uint32_t call; /* 1 more than enum call; 0: not written yet */
  char path[124];
};

struct control {
  _Atomic uint32_t process; /* whose calls count; ANY_PROCESS: the next one that loads this; 0: nobody's */
  _Atomic uint32_t count;   /* calls so far */
  _Atomic uint32_t at;      /* the call that is hit, from 1; 0: none */
  _Atomic uint32_t last;    /* the last call that is hit: as `at`, or greater where several fail in a row */
  _Atomic uint32_t action;
  _Atomic uint32_t error;   /* errno of FAIL */
  _Atomic uint32_t sends;   /* whether what is sent to the database counts */
  _Atomic uint32_t hits;    /* how many calls were hit */
  _Atomic uint32_t hit;     /* enum call of the first that was */
  char below[TOLD];         /* the folder, without a slash at its end */
  char path[TOLD];          /* of the first call that was hit; below the folder */
  struct traced trace[TRACED]; /* the first calls, in their order */
};

static struct control *control;

/* Called by the loader, and by a process that was forked to be counted. */
__attribute__((constructor)) void begin_counting(void) {
  const char *file = control ? NULL : getenv("DURABLE_CALLS");
  int descriptor = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
  if (descriptor >= 0) {
    void *shared = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (shared != MAP_FAILED) control = shared;
  }
  uint32_t any = ANY_PROCESS;
  if (control) atomic_compare_exchange_strong(&control->process, &any, (uint32_t)getpid());
}

static int counted(void) { return control && atomic_load(&control->process) == (uint32_t)getpid(); }

/* Give the part of a path that lies below the folder; NULL where it lies elsewhere. */
static const char *within(const char *path) {
  size_t length = strlen(control->below);
  if (!length || strncmp(path, control->below, length) || (path[length] != '/' && path[length])) return NULL;
  return path[length] ? path + length + 1 : "";
}

static const char *path_of(int descriptor, char *room) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, room, PATH_MAX - 1);
  if (length < 0) return NULL;
  room[length] = 0;
  return within(room);
}

/* The same for a name that may be relative to a folder that is open. */
static const char *path_at(int folder, const char *name, char *room) {
  if (name[0] == '/') return within(name);
  ssize_t length = folder == AT_FDCWD ? (getcwd(room, PATH_MAX) ? (ssize_t)strlen(room) : -1) : -1;
  if (folder != AT_FDCWD) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    length = readlink(link, room, PATH_MAX - 1);
  }
  if (length < 0 || length + strlen(name) + 2 > PATH_MAX) return NULL;
  room[length] = '/';
  strcpy(room + length + 1, name);
  return within(room);
}

static int to_database(int descriptor) {
  struct sockaddr_un peer;
  socklen_t length = sizeof peer;
  if (!atomic_load(&control->sends) || getpeername(descriptor, (struct sockaddr *)&peer, &length)) return 0;
  return peer.sun_family == AF_UNIX && length > sizeof(sa_family_t) && strstr(peer.sun_path, ".s.PGSQL.");
}

/* Count a call; give what is to be done with it. It doesn't come back from KILL. */
static int weigh(enum call call, const char *path) {
  uint32_t number = atomic_fetch_add(&control->count, 1) + 1;
  if (number <= TRACED) {
    struct traced *traced = &control->trace[number - 1];
    snprintf(traced->path, sizeof traced->path, "%s", path);
    atomic_store(&traced->call, (uint32_t)call + 1);
  }
  uint32_t at = atomic_load(&control->at);
  if (!at || number < at || number > atomic_load(&control->last)) return NOTHING;
  if (atomic_fetch_add(&control->hits, 1) == 0) {
    atomic_store(&control->hit, call);
    snprintf(control->path, TOLD, "%s", path);
  }
  uint32_t action = atomic_load(&control->action);
  if (action == KILL) kill(getpid(), SIGKILL);
  return (int)action;
}

static int failing(void) {
  errno = (int)atomic_load(&control->error);
  return -1;
}

/* Where nothing can be sent to a server, nothing comes from it either: of a connection that fails nothing is left. */
static void break_off(int descriptor) {
  if (to_database(descriptor)) shutdown(descriptor, SHUT_RDWR);
}

#define REAL(name) ((__typeof__(&name))real(&real_##name, #name))
static void *real(void **kept, const char *name) {
  if (!*kept) *kept = dlsym(RTLD_NEXT, name);
  return *kept;
}

/* `path` is evaluated only where the call may count, `breaking` only where it fails. */
#define CALL(call, type, path, breaking, doing)                \
  do {                                                         \
    int action = NOTHING;                                      \
    if (counted()) {                                           \
      char room[PATH_MAX];                                     \
      (void)room;                                              \
      const char *where = (path);                              \
      if (where) action = weigh(call, where);                  \
    }                                                          \
    if (action == FAIL) {                                      \
      breaking;                                                \
      return (type)failing();                                  \
    }                                                          \
    return (doing);                                            \
  } while (0)

#define ON_DESCRIPTOR(name, call, parameters, arguments)                                   \
  static void *real_##name;                                                                \
  int name parameters { CALL(call, int, path_of(descriptor, room), , REAL(name) arguments); }

ON_DESCRIPTOR(fsync, C_FSYNC, (int descriptor), (descriptor))
ON_DESCRIPTOR(fdatasync, C_FDATASYNC, (int descriptor), (descriptor))
ON_DESCRIPTOR(ftruncate, C_FTRUNCATE, (int descriptor, off_t size), (descriptor, size))
ON_DESCRIPTOR(ftruncate64, C_FTRUNCATE, (int descriptor, off64_t size), (descriptor, size))

#define ON_NAME(name, call, parameters, folder, path, arguments)                             \
  static void *real_##name;                                                                  \
  int name parameters { CALL(call, int, path_at(folder, path, room), , REAL(name) arguments); }

ON_NAME(truncate, C_TRUNCATE, (const char *path, off_t size), AT_FDCWD, path, (path, size))
ON_NAME(truncate64, C_TRUNCATE, (const char *path, off64_t size), AT_FDCWD, path, (path, size))
ON_NAME(unlink, C_UNLINK, (const char *path), AT_FDCWD, path, (path))
ON_NAME(unlinkat, C_UNLINKAT, (int folder, const char *path, int flags), folder, path, (folder, path, flags))
ON_NAME(rmdir, C_RMDIR, (const char *path), AT_FDCWD, path, (path))
ON_NAME(mkdir, C_MKDIR, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
ON_NAME(mkdirat, C_MKDIRAT, (int folder, const char *path, mode_t mode), folder, path, (folder, path, mode))
ON_NAME(rename, C_RENAME, (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(renameat, C_RENAMEAT, (int old, const char *from, int new, const char *to), new, to, (old, from, new, to))
ON_NAME(renameat2, C_RENAMEAT2, (int old, const char *from, int new, const char *to, unsigned flags), new, to,
        (old, from, new, to, flags))
ON_NAME(link, C_LINK, (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(linkat, C_LINKAT, (int old, const char *from, int new, const char *to, int flags), new, to,
        (old, from, new, to, flags))
ON_NAME(symlink, C_SYMLINK, (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(symlinkat, C_SYMLINKAT, (const char *from, int folder, const char *to), folder, to, (from, folder, to))

/* Only what may make a file counts. */
#define OPENING(name, parameters, folder, path, arguments)                                                \
  static void *real_##name;                                                                               \
  int name parameters {                                                                                   \
    mode_t mode = 0;                                                                                      \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                                \
      va_list rest;                                                                                       \
      va_start(rest, flags);                                                                              \
      mode = va_arg(rest, mode_t);                                                                        \
      va_end(rest);                                                                                       \
    }                                                                                                     \
    CALL(C_OPENAT, int, flags & O_CREAT ? path_at(folder, path, room) : NULL, , REAL(name) arguments);    \
  }

OPENING(open, (const char *path, int flags, ...), AT_FDCWD, path, (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), AT_FDCWD, path, (path, flags, mode))
OPENING(openat, (int folder, const char *path, int flags, ...), folder, path, (folder, path, flags, mode))
OPENING(openat64, (int folder, const char *path, int flags, ...), folder, path, (folder, path, flags, mode))

#define SENDING(name, call, parameters, arguments)                                                              \
  static void *real_##name;                                                                                     \
  ssize_t name parameters {                                                                                     \
    CALL(call, ssize_t, to_database(descriptor) ? "database" : NULL, break_off(descriptor),                     \
         REAL(name) arguments);                                                                                 \
  }

SENDING(send, C_SENDTO, (int descriptor, const void *bytes, size_t size, int flags), (descriptor, bytes, size, flags))
SENDING(sendto, C_SENDTO,
        (int descriptor, const void *bytes, size_t size, int flags, __CONST_SOCKADDR_ARG to, socklen_t length),
        (descriptor, bytes, size, flags, to, length))
SENDING(sendmsg, C_SENDMSG, (int descriptor, const struct msghdr *message, int flags), (descriptor, message, flags))

#define WRITING(name, call, parameters, arguments)                                                              \
  static void *real_##name;                                                                                     \
  ssize_t name parameters {                                                                                     \
    CALL(call, ssize_t, to_database(descriptor) ? "database" : path_of(descriptor, room), break_off(descriptor), \
         REAL(name) arguments);                                                                                  \
  }

WRITING(write, C_WRITE, (int descriptor, const void *bytes, size_t size), (descriptor, bytes, size))
WRITING(writev, C_WRITEV, (int descriptor, const struct iovec *parts, int count), (descriptor, parts, count))
WRITING(pwrite, C_PWRITE64, (int descriptor, const void *bytes, size_t size, off_t place),
        (descriptor, bytes, size, place))
WRITING(pwrite64, C_PWRITE64, (int descriptor, const void *bytes, size_t size, off64_t place),
        (descriptor, bytes, size, place))
WRITING(pwritev, C_PWRITEV, (int descriptor, const struct iovec *parts, int count, off_t place),
        (descriptor, parts, count, place))
WRITING(pwritev64, C_PWRITEV, (int descriptor, const struct iovec *parts, int count, off64_t place),
        (descriptor, parts, count, place))
WRITING(copy_file_range, C_COPY_FILE_RANGE,
        (int from, off64_t *from_place, int descriptor, off64_t *place, size_t size, unsigned flags),
        (from, from_place, descriptor, place, size, flags))
WRITING(sendfile, C_SENDFILE, (int descriptor, int from, off_t *place, size_t size), (descriptor, from, place, size))
WRITING(sendfile64, C_SENDFILE, (int descriptor, int from, off64_t *place, size_t size),
        (descriptor, from, place, size))
