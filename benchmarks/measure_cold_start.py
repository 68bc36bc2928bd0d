"""One cold start, as in Lambda: `python -I -S -B measure_cold_start.py HANDLER FOLDER…`, the event on standard input.

The folders are what Lambda puts on the path: the unpacked function, and boto3. Prints one line of JSON: seconds for the
import and for the event, seconds of processor time for both, the process's peak memory in KiB, and the answer.
"""

import importlib
import json
import sys
import time
from pathlib import Path


def peak_memory() -> int:
    """KiB. Not getrusage's: that begins with the size of the process which started this one."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


handler, *folders = sys.argv[1:]
sys.path[:0] = folders
event = json.load(sys.stdin)
started, used = time.perf_counter(), time.process_time()
function = importlib.import_module(handler).lambda_handler
imported = time.perf_counter()
answer = function(event, None)
ended = time.perf_counter()
measured = {
    "import": imported - started,
    "event": ended - imported,
    "processor": time.process_time() - used,
    "peak": peak_memory(),
    "answer": answer,
}
sys.stdout.write(json.dumps(measured) + "\n")
