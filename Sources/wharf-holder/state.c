// See state.h. Every write has the same length, padded with blanks (JSON allows them): the blocks
// that state_file_reserve() set aside are then enough for whatever is written last.
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_BYTES 4096

static const char *phase_name(enum state_phase phase) {
  switch (phase) {
    case STATE_STARTING: return "starting";
    case STATE_RUNNING: return "running";
    case STATE_EXITED: return "exited";
    case STATE_FAILED: return "failed";
  }
  return "failed";
}

int state_file_open(struct state_file *file, const char *path) {
  char copy[PATH_MAX];
  if (strlen(path) + sizeof ".temporary" > PATH_MAX) {
    errno = ENAMETOOLONG;
    return -1;
  }
  file->path = path;
  snprintf(file->temporary_path, sizeof file->temporary_path, "%s.temporary", path);
  snprintf(copy, sizeof copy, "%s", path);
  snprintf(file->folder, sizeof file->folder, "%s", dirname(copy));
  return 0;
}

struct text {
  char bytes[STATE_BYTES];
  size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
  size_t room = sizeof text->bytes - text->length;
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(text->bytes + text->length, room, format, arguments);
  va_end(arguments);
  if (wanted > 0 && (size_t)wanted < room) text->length += (size_t)wanted;
}

// The messages are our own, but may hold a path: whatever JSON or a terminal minds becomes '?'.
static void add_string(struct text *text, const char *value) {
  add(text, "\"");
  for (const char *c = value; *c != 0; c++) {
    bool plain = *c >= 0x20 && *c < 0x7f && *c != '"' && *c != '\\';
    add(text, "%c", plain ? *c : '?');
    if (c - value > 1024) break;
  }
  add(text, "\"");
}

static void encode(struct text *text, const struct state *state) {
  memset(text->bytes, ' ', sizeof text->bytes);
  text->length = 0;
  add(text, "{\"phase\":\"%s\",\"holderPid\":%d,\"holderStartTime\":%llu,\"bootId\":\"%s\"",
      phase_name(state->phase), (int)state->holder_pid,
      (unsigned long long)state->holder_start_time, state->boot_id);
  if (state->pid != 0) {
    add(text, ",\"pid\":%d,\"startTime\":%llu", (int)state->pid,
        (unsigned long long)state->start_time);
  } else {
    add(text, ",\"pid\":null,\"startTime\":null");
  }
  add(text, ",\"startedAtMicroseconds\":%lld", (long long)state->started_at_microseconds);
  if (!state->exited) {
    add(text, ",\"exitStatus\":null");
  } else if (state->exit_signal != 0) {
    add(text, ",\"exitStatus\":{\"signal\":%d}", state->exit_signal);
  } else {
    add(text, ",\"exitStatus\":{\"code\":%d}", state->exit_code);
  }
  if (state->exited) {
    add(text, ",\"exitedAtMicroseconds\":%lld", (long long)state->exited_at_microseconds);
  }
  if (state->error != NULL) {
    add(text, ",\"error\":");
    add_string(text, state->error);
    add(text, ",\"errno\":%d", state->error_number);
  }
  add(text, "}");
  // vsnprintf left a NUL; blanks to the end, and a newline for whoever prints the file.
  text->bytes[text->length] = ' ';
  text->bytes[STATE_BYTES - 1] = '\n';
}

static int write_whole(int fd, const char *bytes, size_t count) {
  for (size_t done = 0; done < count;) {
    ssize_t n = write(fd, bytes + done, count - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    done += (size_t)n;
  }
  return fsync(fd);
}

static int sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = fsync(fd);
  int reason = errno;
  close(fd);
  errno = reason;
  return result;
}

int state_file_write(const struct state_file *file, const struct state *state) {
  struct text text;
  encode(&text, state);
  // Without O_TRUNC: blocks set aside earlier are written over, not given back.
  int fd = open(file->temporary_path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return -1;
  int result = ftruncate(fd, STATE_BYTES);
  if (result == 0) result = write_whole(fd, text.bytes, sizeof text.bytes);
  int reason = errno;
  if (close(fd) < 0 && result == 0) {
    result = -1;
    reason = errno;
  }
  errno = reason;
  if (result != 0) return -1;
  if (rename(file->temporary_path, file->path) != 0) return -1;
  return sync_folder(file->folder);
}

void state_file_reserve(const struct state_file *file) {
  int fd = open(file->temporary_path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return;
  if (posix_fallocate(fd, 0, STATE_BYTES) == 0) fsync(fd);
  close(fd);
}
