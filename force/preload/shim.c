/* Stands between a server and the C library, for one directory of files. It can do two things, both chosen by the
 * environment, and changes nothing else:
 *
 *   RIVERRUN_FORCE_DIR    the directory, an absolute path without links; without it the shim is asleep
 *   RIVERRUN_FORCE_TRACE  a file to which every change of the directory, every sync and every byte sent over a socket is
 *                         appended, in the order in which they happened
 *   RIVERRUN_FORCE_FAULT  kind:k:once|ever:errno, kind is write, sync, open or read: the k-th such call on a file of the
 *                         directory fails, or all from the k-th on
 *   RIVERRUN_FORCE_FIRED  a file to which a line is appended for each call that was made to fail
 *   RIVERRUN_FORCE_FULL   while this file exists, writes that would make a file longer fail for want of room
 *
 * A change is made and recorded under one lock, so the record has one order. What is sent is recorded before it is sent:
 * whoever received an answer received it after everything that stands before it in the record.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, SEND, SYNC_FAILED };
enum { F_NONE, F_WRITE, F_SYNC, F_OPEN, F_READ };

#define FDS 1024
#define NAME 96

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char names[FDS][NAME]; /* the file's name in the directory; "." is the directory itself */
static const char *directory, *full;
static int trace = -1, fired = -1;
static int fault_kind, fault_ever, fault_errno;
static long fault_at, fault_seen;

static int raw_open(const char *path, int flags, int mode) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

__attribute__((constructor)) static void begin(void) {
    directory = getenv("RIVERRUN_FORCE_DIR");
    full = getenv("RIVERRUN_FORCE_FULL");
    const char *path = getenv("RIVERRUN_FORCE_TRACE");
    if (path) trace = raw_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    path = getenv("RIVERRUN_FORCE_FIRED");
    if (path) fired = raw_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const char *fault = getenv("RIVERRUN_FORCE_FAULT");
    char kind[8], how[8];
    if (fault && sscanf(fault, "%7[a-z]:%ld:%7[a-z]:%d", kind, &fault_at, how, &fault_errno) == 4) {
        fault_kind = !strcmp(kind, "write") ? F_WRITE : !strcmp(kind, "sync") ? F_SYNC : !strcmp(kind, "open") ? F_OPEN : F_READ;
        fault_ever = !strcmp(how, "ever");
    }
}

/* The name of a path inside the directory, or NULL. */
static const char *inside(const char *path) {
    if (!directory || !path) return NULL;
    size_t length = strlen(directory);
    if (strncmp(path, directory, length)) return NULL;
    if (!path[length]) return ".";
    if (path[length] != '/' || strchr(path + length + 1, '/') || strlen(path + length + 1) >= NAME) return NULL;
    return path + length + 1;
}

static const char *named(int fd) { return fd >= 0 && fd < FDS && names[fd][0] ? names[fd] : NULL; }

/* The index that readers share is built anew at every start: it is nothing a disk has to keep. */
static int kept(const char *name) {
    size_t length = strlen(name);
    return length < 4 || strcmp(name + length - 4, "-shm");
}

static void record(uint32_t kind, const char *name, uint64_t at, const struct iovec *data, int parts) {
    if (trace < 0) return;
    size_t bytes = 0;
    for (int i = 0; i < parts; i++) bytes += data[i].iov_len;
    struct { uint32_t kind, name; uint64_t at, data; } head = { kind, (uint32_t)strlen(name), at, bytes };
    struct iovec all[18] = { { &head, sizeof head }, { (void *)name, head.name } };
    if (parts > 16) abort();
    memcpy(all + 2, data, sizeof *data * (size_t)parts);
    if (syscall(SYS_writev, trace, all, parts + 2) != (long)(sizeof head + head.name + bytes)) abort();
}

/* Whether this call is one that has to fail. Held under the lock. */
static int fails(int kind, const char *name) {
    if (fault_kind != kind) return 0;
    fault_seen++;
    if (fault_seen != fault_at && !(fault_ever && fault_seen > fault_at)) return 0;
    char line[NAME + 64];
    int length = snprintf(line, sizeof line, "%d %ld %s\n", kind, fault_seen, name);
    if (fired >= 0 && syscall(SYS_write, fired, line, length) != length) abort();
    errno = fault_errno;
    return 1;
}

static int no_room(int fd, off_t end) {
    struct stat found;
    if (!full || access(full, F_OK) || fstat(fd, &found) || end <= found.st_size) return 0;
    errno = ENOSPC;
    return 1;
}

static int opened(const char *path, int flags, int mode) {
    pthread_mutex_lock(&lock);
    const char *name = inside(path);
    int fd = -1;
    if (!name || !fails(F_OPEN, name)) {
        int is_new = name && (flags & O_CREAT) && faccessat(AT_FDCWD, path, F_OK, 0);
        fd = raw_open(path, flags, mode);
        int error = errno;
        if (fd >= 0 && fd < FDS) {
            snprintf(names[fd], NAME, "%s", name ? name : "");
            if (is_new && kept(name)) record(CREATE, name, 0, NULL, 0);
            if (name && !is_new && (flags & O_TRUNC) && kept(name)) record(TRUNCATE, name, 0, NULL, 0);
        }
        errno = error;
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags, mode) \
    int mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(path, flags | O_LARGEFILE, mode); }

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FDS) names[fd][0] = 0;
    int done = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return done;
}

static ssize_t written(int fd, const void *data, size_t bytes, off_t at, int is_at) {
    pthread_mutex_lock(&lock);
    const char *name = named(fd);
    if (!is_at && name) at = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t done = -1;
    if (!fails(F_WRITE, name) && !no_room(fd, at + (off_t)bytes)) {
        done = is_at ? syscall(SYS_pwrite64, fd, data, bytes, at) : syscall(SYS_write, fd, data, bytes);
        if (done > 0 && kept(name)) record(WRITE, name, (uint64_t)at, &(struct iovec){ (void *)data, (size_t)done }, 1);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

static void sent(int fd, const struct iovec *data, int parts) {
    int type, error = errno;
    socklen_t length = sizeof type;
    if (trace >= 0 && fd > 2 && !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length)) {
        pthread_mutex_lock(&lock);
        record(SEND, "", (uint64_t)fd, data, parts);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
}

ssize_t write(int fd, const void *data, size_t bytes) {
    if (named(fd)) return written(fd, data, bytes, 0, 0);
    sent(fd, &(struct iovec){ (void *)data, bytes }, 1);
    return syscall(SYS_write, fd, data, bytes);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
    return named(fd) ? written(fd, data, bytes, at, 1) : syscall(SYS_pwrite64, fd, data, bytes, at);
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) { return pwrite(fd, data, bytes, at); }

ssize_t writev(int fd, const struct iovec *data, int parts) {
    sent(fd, data, parts);
    return syscall(SYS_writev, fd, data, parts);
}
ssize_t send(int fd, const void *data, size_t bytes, int flags) {
    sent(fd, &(struct iovec){ (void *)data, bytes }, 1);
    return syscall(SYS_sendto, fd, data, bytes, flags, NULL, 0);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    sent(fd, message->msg_iov, (int)message->msg_iovlen);
    return syscall(SYS_sendmsg, fd, message, flags);
}

static ssize_t fetched(int fd, void *data, size_t bytes, off_t at, int is_at) {
    int failed = 0;
    if (fault_kind == F_READ && named(fd)) {
        pthread_mutex_lock(&lock);
        failed = fails(F_READ, names[fd]);
        pthread_mutex_unlock(&lock);
    }
    if (failed) return -1;
    return is_at ? syscall(SYS_pread64, fd, data, bytes, at) : syscall(SYS_read, fd, data, bytes);
}
ssize_t read(int fd, void *data, size_t bytes) { return fetched(fd, data, bytes, 0, 0); }
ssize_t pread(int fd, void *data, size_t bytes, off_t at) { return fetched(fd, data, bytes, at, 1); }
ssize_t pread64(int fd, void *data, size_t bytes, off64_t at) { return fetched(fd, data, bytes, at, 1); }

static int truncated(int fd, off_t length) {
    pthread_mutex_lock(&lock);
    const char *name = named(fd);
    int done = -1;
    if (!name || (!fails(F_WRITE, name) && !no_room(fd, length))) {
        done = (int)syscall(SYS_ftruncate, fd, length);
        if (!done && name && kept(name)) record(TRUNCATE, name, (uint64_t)length, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncated(fd, length); }

static int synced(int fd, long call) {
    const char *name = named(fd);
    if (!name) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    int done = -1, is_kept = kept(name);
    if (fails(F_SYNC, name)) {
        if (is_kept) record(SYNC_FAILED, name, 0, NULL, 0);
        errno = fault_errno;
    } else {
        done = (int)syscall(call, fd);
        if (!done && is_kept) record(SYNC, name, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return done;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    const char *name = inside(path);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!done && name && kept(name)) record(UNLINK, name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    const char *old = inside(from), *name = inside(to);
    int done = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (!done && old && name) record(RENAME, old, 0, &(struct iovec){ (void *)name, strlen(name) }, 1);
    pthread_mutex_unlock(&lock);
    return done;
}
