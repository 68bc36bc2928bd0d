"""Runs a program and prints one line of JSON: its exit code, its processor time in seconds, its peak memory in KiB.

`python -I -S measure.py PROGRAM ARGUMENT…`, from a process of its own: the memory that the system tells of a child
begins with that of its parent, and this one is small.
"""

import json
import resource
import subprocess
import sys

done = subprocess.run(sys.argv[1:], check=False, stdout=sys.stderr)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
measured = {"code": done.returncode, "processor": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss}
sys.stdout.write(json.dumps(measured) + "\n")
