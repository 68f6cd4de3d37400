#!/bin/sh
# Carries out the step `my.starter`, as `steps/starter.flow` declares it.
#
# The program gets one request on standard input, a JSON object, and answers in
# lines on standard output, a JSON object each. The last line is the answer. What
# it writes to standard error is its log. `flow plugin check my.starter` tries
# whether that is so.
#
# It needs `jq`, which reads and writes JSON. Don't write JSON by `echo`: it takes
# `\n` for a line end in some shells.
set -eu

request=$(cat)

# Says what is at a place of the request.
asked() {
  printf '%s\n' "$request" | jq -r "$1"
}

if [ "$(asked .ask)" != run ]; then
  jq -nc '{failure: "invalid", message: "nothing is known of that"}'
  exit
fi

echo "this is a line of the log" >&2
jq -nc '{progress: 0.5, message: "half of it is done"}'
printf '%s\n' "$request" | jq -c '
  .arguments as $given
  | [range(1; $given.times + 1) | $given.text + "!" * .]
  | {result: .}'
