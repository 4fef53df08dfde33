// The state file: one JSON object that says what the holder started and how it ended.
//
// Written whole or not at all: a temporary file, fsync, rename, fsync of the folder. Its phases:
//   starting  the holder runs, nothing was started           → running, failed
//   running   the engine's pid is known; written before the engine's program is executed
//                                                            → exited, failed
//   exited    the engine and all its descendants are gone    (last)
//   failed    the engine's program could not be executed     (last)
#ifndef WHARF_HOLDER_STATE_H
#define WHARF_HOLDER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum state_phase { STATE_STARTING, STATE_RUNNING, STATE_EXITED, STATE_FAILED };

struct state {
  enum state_phase phase;
  pid_t holder_pid;
  uint64_t holder_start_time;  // clock ticks since boot, field 22 of /proc/PID/stat
  pid_t pid;                   // 0 before the engine was forked; also its process group
  uint64_t start_time;
  int64_t started_at_microseconds;  // since 1970
  int64_t exited_at_microseconds;
  bool exited;
  int exit_code;    // -1 when a signal ended it
  int exit_signal;  // 0 when it exited by itself
  char boot_id[40];
  const char *error;  // what failed, or NULL
  int error_number;
};

struct state_file {
  const char *path;
  char temporary_path[4096];
  char folder[4096];
};

// Derives the names beside `path`. Returns -1 with errno ENAMETOOLONG when they do not fit.
int state_file_open(struct state_file *file, const char *path);

// Replaces the file. Returns -1 with errno set and the former content untouched on failure.
int state_file_write(const struct state_file *file, const struct state *state);

// Sets disk space aside for the last write, so that a full disk cannot swallow the exit status.
// Best effort: without it the last write is merely retried.
void state_file_reserve(const struct state_file *file);

#endif
