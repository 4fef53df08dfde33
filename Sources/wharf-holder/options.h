// The command line: wharf-holder --state FILE --log FILE [options] -- PROGRAM [ARGUMENT…]
#ifndef WHARF_HOLDER_OPTIONS_H
#define WHARF_HOLDER_OPTIONS_H

#include <stdint.h>
#include <sys/types.h>

#define MAX_GROUPS 64

// Whom the engine runs as.
struct identity {
  uid_t user;
  gid_t groups[MAX_GROUPS];  // the first is the primary one
  size_t group_count;        // 0: the holder's own user
};

struct options {
  const char *state_path;
  const char *log_path;
  uint64_t log_max_bytes;
  uint64_t stop_grace_seconds;
  const char *folder;  // the engine's working folder, or NULL
  struct identity identity;
  char **engine;       // its argv, ending in NULL
};

// Says what is wrong on standard error and returns -1 when the line cannot be used.
int options_parse(struct options *options, int argc, char **argv);

#endif
