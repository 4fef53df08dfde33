// See log.h.
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 65536
// Reads a call, so that a chatty engine cannot keep the holder from its signals.
#define MAX_READS_PER_PUMP 16

static int open_file(struct log *log) {
  struct stat info;
  int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return -1;
  log->fd = fd;
  log->bytes = fstat(fd, &info) == 0 ? (uint64_t)info.st_size : 0;
  return 0;
}

int log_open(struct log *log, const char *path, uint64_t max_bytes) {
  memset(log, 0, sizeof *log);
  log->fd = -1;
  log->path = path;
  log->max_bytes = max_bytes;
  if (strlen(path) + sizeof ".1" > PATH_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  snprintf(log->rotated_path, sizeof log->rotated_path, "%s.1", path);
  return open_file(log);
}

// On failure the open file stays in use, and the limit is kept by dropping output.
static void rotate(struct log *log) {
  int former = log->fd;
  if (rename(log->path, log->rotated_path) != 0) return;
  if (open_file(log) == 0) {
    close(former);
  } else if (rename(log->rotated_path, log->path) != 0) {
    return;
  }
}

// Returns how many bytes went to the file.
static size_t append(struct log *log, const char *bytes, size_t count) {
  if (log->bytes + count > log->max_bytes) rotate(log);
  if (log->bytes + count > log->max_bytes) return 0;
  size_t done = 0;
  while (done < count) {
    ssize_t n = write(log->fd, bytes + done, count - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += (size_t)n;
  }
  log->bytes += done;
  return done;
}

static void say_what_was_lost(struct log *log) {
  char line[128];
  if (log->lost_bytes == 0) return;
  int n = snprintf(line, sizeof line, "\nwharf-holder: %llu bytes of output could not be written\n",
                   (unsigned long long)log->lost_bytes);
  if (append(log, line, (size_t)n) == (size_t)n) log->lost_bytes = 0;
}

int log_pump(struct log *log, int pipe_fd) {
  char buffer[READ_BYTES];
  size_t piece = log->max_bytes < sizeof buffer ? (size_t)log->max_bytes : sizeof buffer;
  for (int reads = 0; reads < MAX_READS_PER_PUMP; reads++) {
    ssize_t n = read(pipe_fd, buffer, piece);
    if (n == 0) return 0;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? 1 : 0;
    say_what_was_lost(log);
    log->lost_bytes += (uint64_t)n - append(log, buffer, (size_t)n);
  }
  return 1;
}

void log_note(struct log *log, const char *format, ...) {
  char line[512] = "wharf-holder: ";
  size_t used = strlen(line);
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(line + used, sizeof line - used - 1, format, arguments);
  va_end(arguments);
  if (wanted < 0) return;
  used = strlen(line);
  line[used++] = '\n';
  append(log, line, used);
}
