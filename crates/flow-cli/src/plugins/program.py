#!/usr/bin/env python3
"""Carries out the step `my.starter`, as `steps/starter.flow` declares it.

The program gets one request on standard input, a JSON object, and answers in
lines on standard output, a JSON object each. The last line is the answer. What
it writes to standard error is its log. `flow plugin check my.starter` tries
whether that is so.
"""

import json
import sys


def say(**line):
    """Writes a line, and sees to it that it is heard at once."""
    print(json.dumps(line), flush=True)


def louder(text, times):
    lines = []
    for count in range(1, times + 1):
        lines.append(text + "!" * count)
        say(progress=count / times, message=f"said {count} of {times}")
    return lines


def main():
    request = json.load(sys.stdin.buffer)
    if request["ask"] != "run":
        say(failure="invalid", message=f"nothing is known of `{request['ask']}`")
        return
    arguments = request["arguments"]
    print("this is a line of the log", file=sys.stderr)
    say(result=louder(arguments["text"], arguments["times"]))


if __name__ == "__main__":
    main()
