// The engine's output: what its pipe gives goes to FILE; a full FILE becomes FILE.1, whose former
// content is lost. So at most twice `max_bytes` lie on disk. The engine never waits for the disk:
// what cannot be written is dropped, counted and said once writing works again.
#ifndef WHARF_HOLDER_LOG_H
#define WHARF_HOLDER_LOG_H

#include <stdint.h>

struct log {
  const char *path;
  char rotated_path[4096];
  int fd;
  uint64_t bytes;      // in FILE now
  uint64_t max_bytes;  // of FILE
  uint64_t lost_bytes;
};

// Opens FILE for appending. Returns -1 with errno set on failure.
int log_open(struct log *log, const char *path, uint64_t max_bytes);

// Moves what the pipe holds now to the file, at most a bounded amount a call. Returns 0 at the end
// of the pipe, 1 when more may come, and never fails: the disk's troubles are not the engine's.
int log_pump(struct log *log, int pipe_fd);

// A line of the holder's own.
__attribute__((format(printf, 2, 3))) void log_note(struct log *log, const char *format, ...);

#endif
