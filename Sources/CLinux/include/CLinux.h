// Linux calls that Swift's import of Glibc does not show: descriptors for wake-ups and processes, room in files.
// Each returns -1 and sets errno when the kernel refuses, as the call beneath it does.
#ifndef CLINUX_H
#define CLINUX_H

#include <spawn.h>
#include <sys/types.h>

// A descriptor with a 64-bit counter; the flags are EFD_CLOEXEC | EFD_NONBLOCK, see below.
int wharf_eventfd(unsigned initial, int flags);

// Swift does not import the flags of eventfd, which are macros over enum members.
int wharf_eventfd_flags(void);

// A descriptor that stands for one process, whatever becomes of its pid; closed on exec.
int wharf_pidfd_open(pid_t pid, unsigned flags);

int wharf_pidfd_send_signal(int fd, int sig);

// Reaps the child behind a pidfd. Returns 1 when it ended (with *exit_code or *term_signal set, the
// other -1), 0 when it still runs and `block` is 0, -1 on error (ECHILD: not a child of ours).
int wharf_pidfd_wait(int fd, int block, int *exit_code, int *term_signal);

// pipe2(2) with O_CLOEXEC: no child started meanwhile keeps an end open.
int wharf_pipe(int ends[2]);

// A spawned child has nothing open from this number on, whatever others of this process open meanwhile.
int wharf_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

// Takes room in a file for so many bytes from an offset on; its length and contents stay.
int wharf_reserve(int fd, off_t offset, off_t length);

// Names the calling thread; the kernel keeps 15 bytes.
int wharf_set_thread_name(const char *name);

// From here on, blocks of memory of at least so many bytes go back to the kernel when they are freed.
// Returns 0 when the C library has no such thing.
int wharf_return_blocks_of(int bytes);

#endif
