// See processes.h.
#define _GNU_SOURCE
#include "processes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct process {
  pid_t parent;
  uint64_t start_time;
};

static ssize_t read_file(const char *path, char *buffer, size_t capacity) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = read(fd, buffer, capacity - 1);
  int reason = errno;
  close(fd);
  errno = reason;
  if (n >= 0) buffer[n] = 0;
  return n;
}

// The name (field 2) may hold blanks and brackets: counting starts behind its last bracket.
static int read_process(pid_t pid, struct process *process) {
  char path[64], stat[1024], *field, *rest;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (read_file(path, stat, sizeof stat) <= 0) return -1;
  rest = strrchr(stat, ')');
  if (rest == NULL) return -1;
  rest++;
  for (int number = 3; (field = strsep(&rest, " ")) != NULL;) {
    if (*field == 0) continue;
    if (number == 4) process->parent = (pid_t)strtol(field, NULL, 10);
    if (number == 22) {
      process->start_time = strtoull(field, NULL, 10);
      return 0;
    }
    number++;
  }
  return -1;
}

uint64_t process_start_time(pid_t pid) {
  struct process process;
  return read_process(pid, &process) == 0 ? process.start_time : 0;
}

int read_boot_id(char *boot_id, size_t capacity) {
  ssize_t n = read_file("/proc/sys/kernel/random/boot_id", boot_id, capacity);
  if (n < 0) return -1;
  boot_id[strcspn(boot_id, "\n")] = 0;
  for (const char *c = boot_id; *c != 0; c++) {
    if (!isxdigit((unsigned char)*c) && *c != '-') {
      errno = EINVAL;
      return -1;
    }
  }
  return 0;
}

static void for_each_child(void (*act)(pid_t child, pid_t kept), pid_t kept) {
  struct process process;
  struct dirent *entry;
  DIR *folder = opendir("/proc");
  if (folder == NULL) return;
  while ((entry = readdir(folder)) != NULL) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (pid <= 0 || read_process(pid, &process) != 0) continue;
    if (process.parent == getpid()) act(pid, kept);
  }
  closedir(folder);
}

static void reap(pid_t child, pid_t kept) {
  if (child != kept) waitpid(child, NULL, WNOHANG);
}

static void end(pid_t child, pid_t kept) {
  (void)kept;
  kill(child, SIGKILL);
}

void reap_children_except(pid_t kept) { for_each_child(reap, kept); }

void kill_children(void) { for_each_child(end, 0); }
