// wharf-holder: the parent of one engine. It outlives the agent, so that the engine's exit status is
// known even when it died while no agent ran, and so that a restarted agent finds it again.
//
// What holds, whatever is killed and whenever:
//   1. No engine's program runs before the state file names its pid (engine.h: the gate).
//   2. The holder killed: the engine is killed by the kernel (PR_SET_PDEATHSIG). What the engine had
//      started remains in the process group `pid`, which the agent clears.
//   3. The engine ended: everything it left behind is killed and reaped before the state file says
//      "exited". That phase is therefore the proof that the devices are let go.
//   4. The engine's zombie is reaped only after its group was killed, so no group id is reused.
//
// Exit codes: 0 recorded; 2 wrong usage; 71 the system refused; 74 the state file or log could not be
// written; 127 the engine's program could not be executed (recorded).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "log.h"
#include "options.h"
#include "processes.h"
#include "state.h"

#define EXIT_USAGE 2
#define EXIT_SYSTEM 71
#define EXIT_WRITE 74
#define EXIT_NOT_EXECUTED 127

// How often killing is repeated while something is left to kill.
#define KILL_AGAIN_MILLISECONDS 200
#define FINAL_WRITE_ATTEMPTS 40
#define FINAL_WRITE_PAUSE_MILLISECONDS 500

// running → stopping (SIGTERM) → killing (grace over); each → clearing once the engine has ended;
// clearing → done when no child is left.
enum phase { RUNNING, STOPPING, KILLING, CLEARING, DONE };

struct holder {
  struct options options;
  struct state_file state_file;
  struct state state;
  struct log log;
  struct engine engine;
  int signal_fd;
  int null_fd;
  enum phase phase;
  int64_t stop_deadline_milliseconds;  // monotonic
};

static int64_t clock_microseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t now_milliseconds(void) { return clock_microseconds(CLOCK_MONOTONIC) / 1000; }

static int complain(int code, const char *what, const char *on) {
  fprintf(stderr, "wharf-holder: cannot %s %s: %s\n", what, on, strerror(errno));
  return code;
}

// Leaves what was inherited behind: descriptors, session, signal mask and dispositions.
static int detach(struct holder *holder) {
  sigset_t handled;
  do {
    holder->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (holder->null_fd < 0) return -1;
  } while (holder->null_fd <= 2);
  if (dup2(holder->null_fd, 3) != 3) return -1;
  holder->null_fd = 3;
  fcntl(3, F_SETFD, FD_CLOEXEC);
  if (syscall(SYS_close_range, 4u, ~0u, 0u) != 0) {
    for (int fd = 4, last = (int)sysconf(_SC_OPEN_MAX); fd < last; fd++) close(fd);
  }
  if (dup2(holder->null_fd, 0) < 0) return -1;
  // Fails for the leader of a process group, as an interactive shell makes them: then it stays in
  // its session, where hang-up and interrupt are ignored.
  if (getsid(0) != getpid()) setsid();
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return -1;
  prctl(PR_SET_PDEATHSIG, 0);

  static const int ignored[] = {SIGINT,  SIGHUP,  SIGQUIT, SIGPIPE, SIGALRM,
                                SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
  signal(SIGCHLD, SIG_DFL);  // inherited as ignored, it would take the exit status away
  sigemptyset(&handled);
  sigaddset(&handled, SIGCHLD);
  sigaddset(&handled, SIGTERM);
  if (sigprocmask(SIG_SETMASK, &handled, NULL) != 0) return -1;
  holder->signal_fd = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  return holder->signal_fd < 0 ? -1 : 0;
}

// Everything that can fail for want of disk fails here, before there is an engine.
static int prepare_files(struct holder *holder) {
  const struct options *options = &holder->options;
  if (log_open(&holder->log, options->log_path, options->log_max_bytes) != 0) {
    return complain(EXIT_WRITE, "open the log", options->log_path);
  }
  if (read_boot_id(holder->state.boot_id, sizeof holder->state.boot_id) != 0) {
    return complain(EXIT_SYSTEM, "read", "the boot id");
  }
  holder->state.phase = STATE_STARTING;
  holder->state.holder_pid = getpid();
  holder->state.holder_start_time = process_start_time(getpid());
  holder->state.started_at_microseconds = clock_microseconds(CLOCK_REALTIME);
  if (state_file_open(&holder->state_file, options->state_path) != 0 ||
      state_file_write(&holder->state_file, &holder->state) != 0) {
    return complain(EXIT_WRITE, "write the state file, so no engine was started:",
                    options->state_path);
  }
  return 0;
}

static int write_final_state(struct holder *holder) {
  for (int attempt = 1;; attempt++) {
    if (state_file_write(&holder->state_file, &holder->state) == 0) return 0;
    if (attempt == FINAL_WRITE_ATTEMPTS) break;
    poll(NULL, 0, FINAL_WRITE_PAUSE_MILLISECONDS);
  }
  log_note(&holder->log, "cannot record the end of the engine in %s: %s",
           holder->options.state_path, strerror(errno));
  return complain(EXIT_WRITE, "write the state file", holder->options.state_path);
}

static int record_failed_start(struct holder *holder, const char *attempted, int reason) {
  char error[1024];
  snprintf(error, sizeof error, "cannot %s %s: %s", attempted, holder->options.engine[0],
           strerror(reason));
  holder->state.phase = STATE_FAILED;
  holder->state.error = error;
  holder->state.error_number = reason;
  holder->state.exited = true;
  holder->state.exit_code = EXIT_NOT_EXECUTED;
  holder->state.exited_at_microseconds = clock_microseconds(CLOCK_REALTIME);
  fprintf(stderr, "wharf-holder: %s\n", error);
  log_note(&holder->log, "%s", error);
  int result = write_final_state(holder);
  return result != 0 ? result : EXIT_NOT_EXECUTED;
}

static int start_engine(struct holder *holder) {
  const struct options *options = &holder->options;
  const char *attempted = NULL;
  if (engine_fork(&holder->engine, options, holder->null_fd) != 0) {
    return complain(EXIT_SYSTEM, "fork for", options->engine[0]);
  }
  holder->state.phase = STATE_RUNNING;
  holder->state.pid = holder->engine.pid;
  holder->state.start_time = process_start_time(holder->engine.pid);
  if (state_file_write(&holder->state_file, &holder->state) != 0) {
    int reason = errno;
    engine_discard(&holder->engine);
    errno = reason;
    return complain(EXIT_WRITE, "write the state file, so no engine was started:",
                    options->state_path);
  }
  state_file_reserve(&holder->state_file);
  int reason = engine_release(&holder->engine, &attempted);
  if (reason != 0) return record_failed_start(holder, attempted, reason);
  // Whoever started the holder sees these end and knows: it runs, read the state file.
  dup2(holder->null_fd, 1);
  dup2(holder->null_fd, 2);
  return 0;
}

static void kill_everything(struct holder *holder) {
  if (!holder->state.exited) kill(-holder->engine.pid, SIGKILL);
  kill_children();
}

// Looks at the engine without reaping it; once it ended, kills its group and only then reaps it.
static void notice_end_of_engine(struct holder *holder) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  if (waitid(P_PID, (id_t)holder->engine.pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return;
  if (info.si_pid == 0) return;
  kill_everything(holder);
  waitpid(holder->engine.pid, NULL, 0);
  holder->phase = CLEARING;
  holder->state.exited = true;
  holder->state.exited_at_microseconds = clock_microseconds(CLOCK_REALTIME);
  bool by_itself = info.si_code == CLD_EXITED;
  holder->state.exit_code = by_itself ? info.si_status : -1;
  holder->state.exit_signal = by_itself ? 0 : info.si_status;
}

static void notice_children(struct holder *holder) {
  if (!holder->state.exited) {
    reap_children_except(holder->engine.pid);
    notice_end_of_engine(holder);
  }
  if (holder->phase != CLEARING) return;
  for (;;) {
    pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid < 0 && errno == ECHILD) holder->phase = DONE;
    if (pid <= 0) return;
    kill_children();  // its own children are ours now
  }
}

static void stop_engine(struct holder *holder) {
  if (holder->phase != RUNNING) return;
  holder->phase = STOPPING;
  holder->stop_deadline_milliseconds =
      now_milliseconds() + (int64_t)holder->options.stop_grace_seconds * 1000;
  kill(-holder->engine.pid, SIGTERM);
}

static void read_signals(struct holder *holder) {
  struct signalfd_siginfo info;
  while (read(holder->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
    if (info.ssi_signo == SIGTERM) stop_engine(holder);
  }
  notice_children(holder);
}

// What is due by now; returns how long to wait for news.
static int act_on_time(struct holder *holder) {
  int64_t left;
  switch (holder->phase) {
    case RUNNING:
    case DONE: return -1;
    case STOPPING:
      left = holder->stop_deadline_milliseconds - now_milliseconds();
      if (left > 0) return (int)left;
      holder->phase = KILLING;
      log_note(&holder->log, "the engine did not end within %llu s of SIGTERM: killed",
               (unsigned long long)holder->options.stop_grace_seconds);
      kill_everything(holder);
      return KILL_AGAIN_MILLISECONDS;
    case KILLING:
    case CLEARING:
      kill_everything(holder);
      notice_children(holder);
      return holder->phase == DONE ? 0 : KILL_AGAIN_MILLISECONDS;
  }
  return -1;
}

static void watch(struct holder *holder) {
  struct pollfd sources[] = {{holder->signal_fd, POLLIN, 0}, {holder->engine.output_fd, POLLIN, 0}};
  while (holder->phase != DONE) {
    int timeout = act_on_time(holder);
    if (holder->phase == DONE) break;
    // Whatever fails here passes: the engine's end is waited for all the same.
    if (poll(sources, 2, timeout) < 0) sources[1].revents = 0;
    if (sources[1].revents != 0 && log_pump(&holder->log, holder->engine.output_fd) == 0) {
      sources[1].fd = -1;
    }
    read_signals(holder);
  }
  // All writers are gone: what is left fits one call.
  log_pump(&holder->log, holder->engine.output_fd);
  if (holder->state.exit_signal != 0) {
    log_note(&holder->log, "the engine was ended by signal %d", holder->state.exit_signal);
  } else {
    log_note(&holder->log, "the engine exited with code %d", holder->state.exit_code);
  }
}

int main(int argc, char **argv) {
  struct holder holder;
  memset(&holder, 0, sizeof holder);
  if (options_parse(&holder.options, argc, argv) != 0) return EXIT_USAGE;
  if (detach(&holder) != 0) return complain(EXIT_SYSTEM, "set up", "the holder");
  int result = prepare_files(&holder);
  if (result == 0) result = start_engine(&holder);
  if (result != 0) return result;
  watch(&holder);
  holder.state.phase = STATE_EXITED;
  return write_final_state(&holder);
}
