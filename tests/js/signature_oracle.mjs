// What does Twilio's own library say? Reads one JSON object a line on stdin:
//   {"token", "url", "params": [[name, value], ...], "signature"}
// and prints one a line: {"expected": getExpectedTwilioSignature(...), "accepted": validateRequest(...)}.
import {createInterface} from "node:readline";
import twilio from "twilio";
import webhooks from "twilio/lib/webhooks/webhooks.js";

/// The library takes repeated names as an array, as a form parser delivers them.
function grouped(pairs) {
  const values = new Map();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries([...values].map(([name, list]) => [name, list.length === 1 ? list[0] : list]));
}

const answers = [];
for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  if (line === "") continue;
  const {token, url, params, signature} = JSON.parse(line);
  const fields = grouped(params);
  answers.push(JSON.stringify({
    expected: webhooks.getExpectedTwilioSignature(token, url, fields),
    accepted: twilio.validateRequest(token, signature, url, fields),
  }));
}
process.stdout.write(answers.join("\n") + "\n");
