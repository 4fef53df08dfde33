// See engine.h.
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTED 127

enum attempted { AT_EXECUTION, AT_FOLDER, AT_USER };

static const char *const words[] = {"execute", "enter the folder of", "become the user of"};

struct failure {
  enum attempted attempted;
  int reason;  // errno
};

static void fail(int report_fd, enum attempted attempted) {
  struct failure failure = {attempted, errno};
  ssize_t ignored = write(report_fd, &failure, sizeof failure);
  (void)ignored;
  _exit(EXIT_NOT_EXECUTED);
}

// All signals back to their defaults, also the two that glibc keeps to itself and whose signal(2) it
// refuses: hence the bare call, with the kernel's structure, of which all fields are zero.
static void reset_signals(void) {
  const unsigned long defaults[4] = {0, 0, 0, 0};
  const size_t mask_bytes = 8;
  sigset_t none;
  for (int number = 1; number <= 64; number++) {
    syscall(SYS_rt_sigaction, number, defaults, NULL, mask_bytes);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// For good: nothing of the holder's own rights is left to come back to.
static int become(const struct identity *identity) {
  gid_t group = identity->groups[0];
  if (setgroups(identity->group_count, identity->groups) != 0) return -1;
  if (setresgid(group, group, group) != 0) return -1;
  return setresuid(identity->user, identity->user, identity->user);
}

static void run_child(const struct options *options, int null_fd, pid_t holder, int gate_fd,
                      int report_fd, int output_fd) {
  char byte;
  ssize_t n;
  setpgid(0, 0);
  // Should the holder be killed, nobody could tell how the engine ended: it goes along. The holder
  // may have died before this took effect, hence the second look.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != holder) _exit(EXIT_NOT_EXECUTED);
  do {
    n = read(gate_fd, &byte, 1);
  } while (n < 0 && errno == EINTR);
  if (n != 1) _exit(EXIT_NOT_EXECUTED);
  reset_signals();
  if (options->identity.group_count > 0) {
    if (become(&options->identity) != 0) fail(report_fd, AT_USER);
    // The kernel forgets it when a process changes its user.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != holder) _exit(EXIT_NOT_EXECUTED);
  }
  if (options->folder != NULL && chdir(options->folder) != 0) fail(report_fd, AT_FOLDER);
  if (dup2(null_fd, 0) < 0 || dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0) {
    fail(report_fd, AT_EXECUTION);
  }
  execvp(options->engine[0], options->engine);
  fail(report_fd, AT_EXECUTION);
}

static void close_pair(int pair[2]) {
  int reason = errno;
  close(pair[0]);
  close(pair[1]);
  errno = reason;
}

int engine_fork(struct engine *engine, const struct options *options, int null_fd) {
  int gate[2], report[2], output[2];
  pid_t holder = getpid();
  if (pipe2(gate, O_CLOEXEC) != 0) return -1;
  if (pipe2(report, O_CLOEXEC) != 0) {
    close_pair(gate);
    return -1;
  }
  if (pipe2(output, O_CLOEXEC) != 0) {
    close_pair(gate);
    close_pair(report);
    return -1;
  }
  pid_t pid = fork();
  if (pid == 0) {
    close(gate[1]);
    run_child(options, null_fd, holder, gate[0], report[1], output[1]);
  }
  if (pid < 0) {
    close_pair(gate);
    close_pair(report);
    close_pair(output);
    return -1;
  }
  setpgid(pid, pid);  // as the child does itself: whoever comes first
  close(gate[0]);
  close(report[1]);
  close(output[1]);
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  *engine = (struct engine){pid, gate[1], report[0], output[0]};
  return 0;
}

int engine_release(struct engine *engine, const char **attempted) {
  struct failure failure = {AT_EXECUTION, 0};
  ssize_t n;
  do {
    n = write(engine->gate_fd, "", 1);
  } while (n < 0 && errno == EINTR);
  close(engine->gate_fd);
  do {
    n = read(engine->report_fd, &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  close(engine->report_fd);
  if (n != (ssize_t)sizeof failure) return 0;
  *attempted = words[failure.attempted];
  waitpid(engine->pid, NULL, 0);
  return failure.reason;
}

void engine_discard(struct engine *engine) {
  close(engine->gate_fd);
  close(engine->report_fd);
  close(engine->output_fd);
  waitpid(engine->pid, NULL, 0);
}
