// The engine's process: forked behind a gate, so that it is on record before its program runs.
#ifndef WHARF_HOLDER_ENGINE_H
#define WHARF_HOLDER_ENGINE_H

#include <sys/types.h>

#include "options.h"

struct engine {
  pid_t pid;      // also its process group
  int gate_fd;    // the child waits for a byte here; closed without one, it ends
  int report_fd;  // what failed in the child; at its end without a byte when the program runs
  int output_fd;  // what the engine writes, non-blocking
};

// Forks the child that waits at the gate. Returns -1 with errno set on failure.
int engine_fork(struct engine *engine, const struct options *options, int null_fd);

// Opens the gate and waits until the program runs. Returns 0 then; otherwise the errno that stopped
// it, with `*attempted` saying what was tried ("enter its folder", "execute").
int engine_release(struct engine *engine, const char **attempted);

// Lets a child end that never passed the gate, and reaps it.
void engine_discard(struct engine *engine);

#endif
