"""Runs a command and says what the kernel says of it: `launch.py RESULT COMMAND…`.

Writes exit status, wall, user and system seconds and peak KiB to RESULT. A process of its own that
imports next to nothing, because a command's peak memory includes what its parent held when it was
started: started from the bench itself, nothing would ever seem to take less than the bench. What
this takes, about 9 MiB, is the least that can be measured.
"""

import posix
import sys
import time

result, *command = sys.argv[1:]
started = time.perf_counter()
pid = posix.posix_spawn(command[0], command, posix.environ)
_, status, usage = posix.wait4(pid, 0)
wall = time.perf_counter() - started
code = posix.waitstatus_to_exitcode(status)
with open(result, "w") as out:
    out.write(f"{code} {wall} {usage.ru_utime} {usage.ru_stime} {usage.ru_maxrss}")
