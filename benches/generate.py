#!/usr/bin/env python3
"""Writes a chain of N steps, a step a line, in both spellings and for ninja.

    benches/generate.py 10000 FOLDER
"""
import sys
from pathlib import Path


def flow(count):
    yield "workflow chain(start: text) -> text {"
    yield '  s0 = shell.run(["echo", start])'
    for at in range(1, count):
        yield f'  s{at} = shell.run(["echo", s{at - 1}.text])'
    yield f"  return s{count - 1}.text"
    yield "}"


def yaml(count):
    yield "workflow: chain"
    yield "inputs: { start: text }"
    yield "outputs: text"
    yield "steps:"
    yield '  - { id: s0, step: shell.run, of: [echo, "${start}"] }'
    for at in range(1, count):
        yield f'  - {{ id: s{at}, step: shell.run, of: [echo, "${{s{at - 1}.text}}"] }}'
    yield f"return: ${{s{count - 1}.text}}"


def ninja(count):
    yield "rule echo"
    yield "  command = echo $in > $out"
    yield "build s0: echo start"
    for at in range(1, count):
        yield f"build s{at}: echo s{at - 1}"
    yield f"default s{count - 1}"


def main():
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in [
        ("chain.flow", flow(count)),
        ("chain.flow.yaml", yaml(count)),
        ("build.ninja", ninja(count)),
    ]:
        (folder / name).write_text("\n".join(lines) + "\n")
    (folder / "start").write_text("")


main()
