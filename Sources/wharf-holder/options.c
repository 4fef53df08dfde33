// See options.h.
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The same as Program.version: a test of the style compares them.
#define VERSION "0.1.0"
#define DEFAULT_LOG_MAX_BYTES (64ull << 20)
#define MIN_LOG_MAX_BYTES 4096ull
#define MAX_LOG_MAX_BYTES (1ull << 40)
#define DEFAULT_STOP_GRACE_SECONDS 30ull
#define MAX_STOP_GRACE_SECONDS 86400ull

static const char usage[] =
    "usage: wharf-holder --state FILE --log FILE [--log-max-bytes N] [--chdir DIR]\n"
    "                    [--stop-grace-seconds N] [--user UID --groups GID,...]\n"
    "                    -- PROGRAM [ARGUMENT...]\n"
    "Starts one engine, keeps its output in FILE and FILE.1, and records in the state file\n"
    "how it ended. SIGTERM stops the engine and all it started.\n";

static int parse_number(const char *name, const char *text, uint64_t min, uint64_t max,
                        uint64_t *value) {
  char *end;
  errno = 0;
  unsigned long long number = strtoull(text, &end, 10);
  if (errno != 0 || *text < '0' || *text > '9' || *end != 0 || number < min || number > max) {
    fprintf(stderr, "wharf-holder: %s '%s' is not a whole number from %llu to %llu\n", name, text,
            (unsigned long long)min, (unsigned long long)max);
    return -1;
  }
  *value = number;
  return 0;
}

#define MAX_ID 4294967294ull  // the last one means "none"

static int parse_groups(struct identity *identity, char *text) {
  for (char *word = strtok(text, ","); word != NULL; word = strtok(NULL, ",")) {
    uint64_t group;
    if (identity->group_count == MAX_GROUPS) {
      fprintf(stderr, "wharf-holder: --groups names more than %d groups\n", MAX_GROUPS);
      return -1;
    }
    if (parse_number("--groups", word, 1, MAX_ID, &group) != 0) return -1;
    identity->groups[identity->group_count++] = (gid_t)group;
  }
  return 0;
}

static int parse_option(struct options *options, int option) {
  uint64_t user;
  switch (option) {
    case 'u':
      if (parse_number("--user", optarg, 1, MAX_ID, &user) != 0) return -1;
      options->identity.user = (uid_t)user;
      return 0;
    case 'p': return parse_groups(&options->identity, optarg);
    case 's': options->state_path = optarg; return 0;
    case 'l': options->log_path = optarg; return 0;
    case 'c': options->folder = optarg; return 0;
    case 'v': puts("wharf-holder " VERSION); exit(0);
    case 'm':
      return parse_number("--log-max-bytes", optarg, MIN_LOG_MAX_BYTES, MAX_LOG_MAX_BYTES,
                          &options->log_max_bytes);
    case 'g':
      return parse_number("--stop-grace-seconds", optarg, 0, MAX_STOP_GRACE_SECONDS,
                          &options->stop_grace_seconds);
    default: fputs(usage, stderr); return -1;
  }
}

int options_parse(struct options *options, int argc, char **argv) {
  static const struct option names[] = {
      {"state", required_argument, NULL, 's'},
      {"log", required_argument, NULL, 'l'},
      {"chdir", required_argument, NULL, 'c'},
      {"version", no_argument, NULL, 'v'},
      {"log-max-bytes", required_argument, NULL, 'm'},
      {"stop-grace-seconds", required_argument, NULL, 'g'},
      {"user", required_argument, NULL, 'u'},
      {"groups", required_argument, NULL, 'p'},
      {NULL, 0, NULL, 0},
  };
  int option;
  *options = (struct options){.log_max_bytes = DEFAULT_LOG_MAX_BYTES,
                              .stop_grace_seconds = DEFAULT_STOP_GRACE_SECONDS};
  // '+': what follows the first word that is no option belongs to the engine.
  while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
    if (parse_option(options, option) != 0) return -1;
  }
  if (options->state_path == NULL || options->log_path == NULL || optind >= argc ||
      (options->identity.user == 0) != (options->identity.group_count == 0)) {
    fputs(usage, stderr);
    return -1;
  }
  options->engine = argv + optind;
  return 0;
}
