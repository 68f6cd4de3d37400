#!/usr/bin/env node
// Carries out the step `my.starter`, as `steps/starter.flow` declares it.
//
// The program gets one request on standard input, a JSON object, and answers in
// lines on standard output, a JSON object each. The last line is the answer.
// What it writes to standard error is its log. `flow plugin check my.starter`
// tries whether that is so.

import { readFileSync } from "node:fs";

function say(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

function louder(text, times) {
  const lines = [];
  for (let count = 1; count <= times; count += 1) {
    lines.push(text + "!".repeat(count));
    say({ progress: count / times, message: `said ${count} of ${times}` });
  }
  return lines;
}

const request = JSON.parse(readFileSync(0, "utf8"));
if (request.ask === "run") {
  console.error("this is a line of the log");
  say({ result: louder(request.arguments.text, request.arguments.times) });
} else {
  say({ failure: "invalid", message: `nothing is known of ${request.ask}` });
}
