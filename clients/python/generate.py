#!/usr/bin/env python3
"""Writes what of the package is generated: generate.py [--check] [--faults FILE].

chaosgate/faults.py comes from what a daemon answers to GET /v1/faults: from the FILE, or from a daemon that is started for it.
chaosgate/sync comes from chaosgate/aio, by leaving out async and await, so that there is one source of the logic.
With --check nothing is written, and the exit code is 1 if anything differs.
"""

import argparse
import io
import json
import keyword
import sys
import tokenize
from pathlib import Path
from typing import Any, Dict, List

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "chaosgate"
HAND_WRITTEN = {"__init__.py", "transport.py"}  # of sync: these are not alike

TYPES = {
    "duration": "Duration", "size": "Size", "rate": "Rate", "chance": "Chance", "count": "int", "flag": "bool", "text": "str",
    "fault": "FaultLike",
}  # fmt: skip

FAULTS_HEAD = '''# Generated from the daemon's /v1/faults by generate.py: do not edit.
"""The kinds of faults, as the daemon describes them.

Durations are seconds, a timedelta or text such as "200ms"; sizes bytes or text such as "64KiB". What is left out has its default.
"""

import dataclasses
from typing import Optional

from .fault import Fault, FaultLike
from .quantities import Chance, Duration, Rate, Size
'''


def faults_source(kinds: List[Dict[str, Any]]) -> str:
    """Returns the module of the fault classes."""
    classes = "".join(class_source(kind) for kind in kinds)
    names = "".join(f'    "{class_name(kind["name"])}",\n' for kind in kinds)
    return f"{FAULTS_HEAD}\n__all__ = [\n{names}]\n{classes}"


def class_source(kind: Dict[str, Any]) -> str:
    """Returns the class of a kind."""
    params = kind["params"] or []
    out = ["", "", "@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)", f"class {class_name(kind['name'])}(Fault):"]
    doc = [kind["help"]]
    if params:
        doc += [""] + [f"{attribute(p['name'])}: {help_text(p)}" for p in params]
    if kind["networks"] != ["tcp", "udp", "unix"]:
        doc += ["", f"Only for {' and '.join(kind['networks'])}."]
    if len(doc) == 1:
        out.append(f'    """{doc[0]}"""')
    else:
        out += [f'    """{doc[0]}', *(f"    {text}" if text else "" for text in doc[1:]), '    """']
    out += ["", f'    kind = "{kind["name"]}"', f"    networks = {literal(kind['networks'])}"]
    if params:
        out.append("    parameters = (")
        out += [f'        ("{attribute(p["name"])}", "{p["name"]}", "{p["type"]}"),' for p in params]
        out.append("    )")
        choices = ", ".join(f'"{p["name"]}": "{p["default"]}"' for p in params if p["type"] == "choice" and p.get("default"))
        out += [f"    choices = {{{choices}}}"] if choices else []
        out.append("")
        out += [f"    {attribute(p['name'])}: {python_type(p)}{'' if p.get('required') else ' = None'}" for p in sorted(params, key=is_optional)]
        arguments = "".join(f", {attribute(p['name'])}: {python_type(p)}{'' if p.get('required') else ' = None'}" for p in params)
        passed = ", ".join(f"{attribute(p['name'])}={attribute(p['name'])}" for p in params)
        out += ["", f"    def __init__(self, *{arguments}) -> None:", f"        self._set({passed})"]
    else:
        out += ["", "    def __init__(self) -> None:", "        self._set()"]
    return "\n".join(out) + "\n"


def is_optional(param: Dict[str, Any]) -> bool:
    """Sorts parameters for dataclasses, which want those first that must be given."""
    return not param.get("required")


def help_text(param: Dict[str, Any]) -> str:
    """Returns what a parameter is, in a line."""
    text: str = param["help"]
    if param.get("choices"):
        text += f"; {param['want']}"
    if param.get("default"):
        text += f" (default: {param['default']})"
    return text.replace("\\", "\\\\")


def class_name(kind: str) -> str:
    """Returns the class's name, which is the Go type's."""
    return "MTU" if kind == "mtu" else "".join(word.capitalize() for word in kind.split("_"))


def attribute(key: str) -> str:
    """Returns the attribute's name for a key."""
    return key + "_" if keyword.iskeyword(key) else key


def python_type(param: Dict[str, Any]) -> str:
    """Returns the type that a parameter has in Python."""
    name = "str" if param["type"] == "choice" else TYPES[param["type"]]
    return name if param.get("required") else f"Optional[{name}]"


def literal(names: List[str]) -> str:
    """Returns names as a tuple."""
    return "(" + ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "") + ")"


# What the words of asyncio's world are called in the other.
WORDS = {
    "__aenter__": "__enter__", "__aexit__": "__exit__", "__aiter__": "__iter__", "__anext__": "__next__",
    "StopAsyncIteration": "StopIteration", "AsyncIterator": "Iterator", "aclose": "close", "aio": "sync",
}  # fmt: skip


def sync_source(source: str, name: str) -> str:
    """Returns a module of chaosgate.aio without asyncio. Only whole words go, and what follows them on the line moves up."""
    lines = source.splitlines(keepends=True)
    edits = []  # row, from column, to column, text
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for token, following in zip(tokens, tokens[1:]):
        (row, start), (_, end) = token.start, token.end
        if token.type == tokenize.NAME and token.string in ("async", "await"):
            edits.append((row, start, following.start[1], ""))
        elif token.type == tokenize.NAME and token.string in WORDS:
            edits.append((row, start, end, WORDS[token.string]))
    for row, start, end, text in reversed(edits):
        lines[row - 1] = lines[row - 1][:start] + text + lines[row - 1][end:]
    return f"# Generated from aio/{name} by generate.py: do not edit.\n" + "".join(lines).replace("await ", "").replace("chaosgate.aio", "chaosgate.sync")


def described(file: str) -> List[Dict[str, Any]]:
    """Returns the kinds of faults."""
    if file:
        kinds: List[Dict[str, Any]] = json.loads(Path(file).read_text())
        return kinds
    sys.path.insert(0, str(PACKAGE.parent))
    import chaosgate
    from chaosgate.daemon import Daemon

    with Daemon() as daemon, chaosgate.Client(daemon.url) as client:
        return client.kinds()


def main() -> int:
    """Writes, or checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; the exit code tells whether anything differs")
    parser.add_argument("--faults", metavar="FILE", default="", help="a file with the daemon's answer to GET /v1/faults")
    parser.add_argument("--sync-only", action="store_true", help="leave the faults alone")
    arguments = parser.parse_args()
    wanted = {PACKAGE / "sync" / f.name: sync_source(f.read_text(), f.name) for f in sorted((PACKAGE / "aio").glob("*.py")) if f.name not in HAND_WRITTEN}
    if not arguments.sync_only:
        wanted[PACKAGE / "faults.py"] = faults_source(described(arguments.faults))
    differing = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in differing:
        print(("differs: " if arguments.check else "wrote: ") + str(path.relative_to(HERE)))
        if not arguments.check:
            path.write_text(wanted[path])
    return 1 if differing and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
