// See CLinux.h. Calls older than their glibc wrapper go through syscall(2).
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc names it P_PIDFD only since 2.36, musl not at all; the kernel's number is fixed.
#define WHARF_P_PIDFD 3

// A program that was started with stdin, stdout or stderr closed would give their numbers to the first descriptors
// that it opens, and write its answers into them: the Swift runtime opens some before main. So each has something in
// its place from the start. Stdout is held to be read only: that nobody gets an answer must show.
__attribute__((constructor)) static void hold_standard_files(void) {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
    if (fcntl(file, F_GETFD) >= 0) continue;
    int held = open("/dev/null", file == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    (void)held;
  }
}

int wharf_eventfd(unsigned initial, int flags) { return eventfd(initial, flags); }

int wharf_eventfd_flags(void) { return EFD_CLOEXEC | EFD_NONBLOCK; }

int wharf_pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

int wharf_reserve(int fd, off_t offset, off_t length) {
  return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length);
}

int wharf_pidfd_send_signal(int fd, int sig) {
  return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

int wharf_pidfd_wait(int fd, int block, int *exit_code, int *term_signal) {
  siginfo_t info;
  int rc;
  memset(&info, 0, sizeof info);
  do {
    rc = waitid((idtype_t)WHARF_P_PIDFD, (id_t)fd, &info, WEXITED | (block ? 0 : WNOHANG));
  } while (rc < 0 && errno == EINTR);
  if (rc < 0) return -1;
  if (info.si_pid == 0) return 0;
  *exit_code = info.si_code == CLD_EXITED ? info.si_status : -1;
  *term_signal = info.si_code == CLD_EXITED ? -1 : info.si_status;
  return 1;
}

int wharf_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int wharf_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int wharf_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int wharf_return_blocks_of(int bytes) {
  // Unset, the C library raises it to the largest block that was freed, and keeps what is smaller.
  return mallopt(M_MMAP_THRESHOLD, bytes);
}
