/* Makes syncs to disk fail while a file exists: the file named in RIVERRUN_FAIL_SYNC holds how the path of a file whose
 * syncs fail ends. Put in front of the C library by the test of failed syncs. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(int fd) {
    const char *flag = getenv("RIVERRUN_FAIL_SYNC");
    char link[64], path[4096], end[64];
    FILE *file = flag ? fopen(flag, "r") : NULL;
    if (!file) return 0;
    size_t length = fread(end, 1, sizeof end - 1, file);
    fclose(file);
    end[length] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t found = readlink(link, path, sizeof path - 1);
    if (found < 0) return 0;
    path[found] = 0;
    return length > 0 && (size_t)found >= length && strcmp(path + found - length, end) == 0;
}

int fsync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    return (int)syscall(SYS_fdatasync, fd);
}
