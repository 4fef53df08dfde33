// What /proc says of processes, and the end of all our children.
#ifndef WHARF_HOLDER_PROCESSES_H
#define WHARF_HOLDER_PROCESSES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Clock ticks from boot to the start of `pid` (field 22 of its stat), 0 when it cannot be read.
uint64_t process_start_time(pid_t pid);

// The kernel's id of this boot. Returns -1 with errno set when it cannot be read.
int read_boot_id(char *boot_id, size_t capacity);

// Reaps every ended child except `kept`, whose zombie keeps its pid and group from being reused.
void reap_children_except(pid_t kept);

// Sends SIGKILL to every child. Each one's pid is ours until we reap it, so no stranger is hit.
void kill_children(void);

#endif
