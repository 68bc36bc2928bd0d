"""Run with `python -I -S`: nothing is to be imported but what is in the zip and the folder named, as in Lambda.

Arguments: the zip, a folder with boto3 and what it needs, and the events, by rule, as JSON on standard input. Prints
the handlers' answers, where the library came from, and the names of all modules in the zip, each imported.
"""

import importlib
import json
import sys
import zipfile

ARTIFACT, BOTO = sys.argv[1:3]
sys.path[:0] = [ARTIFACT, BOTO]

answers = {
    rule: importlib.import_module(rule).lambda_handler(event, None) for rule, event in json.load(sys.stdin).items()
}
with zipfile.ZipFile(ARTIFACT) as archive:
    files = [name for name in archive.namelist() if name.endswith(".py")]
# PyYAML imports its C parser where there is one; the artifact has the parser in Python alone.
files.remove("yaml/cyaml.py")
modules = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files]
imported = {name: importlib.import_module(name).__file__ for name in modules}
json.dump({"answers": answers, "imported": imported}, sys.stdout)
