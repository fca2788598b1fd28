// Twilio's own helper library drives the simulated carrier. SIM_URL, SIM_ACCOUNT_SID and SIM_AUTH_TOKEN name it. Exits 0
// when the library is content, 1 with a sentence when not.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import twilio from "twilio";

const { SIM_URL: simUrl, SIM_ACCOUNT_SID: accountSid, SIM_AUTH_TOKEN: authToken } = process.env;
assert.ok(simUrl && accountSid && authToken, "SIM_URL, SIM_ACCOUNT_SID and SIM_AUTH_TOKEN must be set");
const patience = 15_000;

class LoopbackClient extends twilio.RequestClient {
  request(options) {
    return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", simUrl) });
  }
}

const connect = (token) => twilio(accountSid, token, { httpClient: new LoopbackClient() });

/// A gateway that only listens: every request is checked with the library's validator and kept.
class Gateway {
  requests = [];
  #waiters = [];

  async open() {
    this.server = createServer((request, response) => {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => this.#take(request, Buffer.concat(chunks).toString(), response));
    });
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.base = `http://127.0.0.1:${this.server.address().port}`;
  }

  #take(request, body, response) {
    const params = Object.fromEntries(new URLSearchParams(body));
    const valid = twilio.validateRequest(
      authToken, request.headers["x-twilio-signature"] ?? "", this.base + request.url, params);
    this.requests.push({ url: request.url, params, valid });
    if (request.url.startsWith("/voice")) {
      const document = new twilio.twiml.VoiceResponse();
      document.pause({ length: 60 });
      response.setHeader("Content-Type", "text/xml");
      response.end(document.toString());
    } else {
      response.statusCode = 204;
      response.end();
    }
    this.#waiters.forEach((wake) => wake());
    this.#waiters = [];
  }

  /// The first request that fits, now or within the time allowed.
  async expect(what, fits) {
    const deadline = Date.now() + patience;
    for (;;) {
      const found = this.requests.find(fits);
      if (found) return found;
      assert.ok(Date.now() < deadline, `did not happen: ${what}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#waiters.push(() => (clearTimeout(timer), resolve()));
      });
    }
  }
}

async function rejectsWith(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.status, status);
    assert.equal(error.code, code);
    assert.match(error.moreInfo ?? "", /twilio\.com\/docs\/errors/);
    return true;
  });
}

const gateway = new Gateway();
await gateway.open();
try {
  const client = connect(authToken);
  const created = await client.calls.create({
    to: "+15557654321",
    from: "+15005550006",
    url: `${gateway.base}/voice?tenant=a%2Fb`,
    statusCallback: `${gateway.base}/status`,
    statusCallbackEvent: ["initiated", "ringing", "answered", "completed"],
  });
  assert.match(created.sid, /^CA[0-9a-f]{32}$/);
  assert.equal(created.status, "queued");
  assert.equal(created.direction, "outbound-api");
  assert.ok(created.dateCreated instanceof Date && !Number.isNaN(created.dateCreated.getTime()));
  assert.equal(created.startTime, null);

  const webhook = await gateway.expect("the voice webhook", (request) => request.url.startsWith("/voice"));
  assert.equal(webhook.params.CallSid, created.sid);
  assert.equal(webhook.params.CallStatus, "in-progress");

  const live = await client.calls(created.sid).fetch();
  assert.equal(live.status, "in-progress");
  assert.ok(live.startTime instanceof Date);
  const listed = await client.calls.list({ status: "in-progress", limit: 20 });
  assert.ok(listed.some((call) => call.sid === created.sid));

  const updated = await client.calls(created.sid).update({ status: "completed" });
  assert.equal(updated.status, "completed");
  const ended = await gateway.expect("the last status callback", (request) => request.params.CallStatus === "completed");
  assert.equal(ended.params.CallbackSource, "call-progress-events");
  assert.ok(!Number.isNaN(Date.parse(ended.params.Timestamp)));
  const sequence = gateway.requests.filter((request) => request.url === "/status").map((r) => r.params.SequenceNumber);
  assert.deepEqual(sequence, ["0", "1", "2", "3"]);
  for (const request of gateway.requests) assert.ok(request.valid, `the library refuses the signature on ${request.url}`);

  const fetched = await client.calls(created.sid).fetch();
  assert.match(fetched.duration, /^\d+$/);
  await rejectsWith(client.calls(created.sid).update({ status: "completed" }), 400, 21220);
  await rejectsWith(client.calls(`CA${"0".repeat(32)}`).fetch(), 404, 20404);
  await rejectsWith(connect("wrong").calls.list({ limit: 1 }), 401, 20003);
  await rejectsWith(client.calls.create({ to: "nobody", from: "+15005550006", url: gateway.base }), 400, 21211);

  const numbers = await client.incomingPhoneNumbers.list({ phoneNumber: "+15005550006" });
  assert.equal(numbers.length, 1);
  assert.equal(numbers[0].capabilities.voice, true);
  const renamed = await client.incomingPhoneNumbers(numbers[0].sid).update({ voiceUrl: `${gateway.base}/voice` });
  assert.equal(renamed.voiceUrl, `${gateway.base}/voice`);
  const message = await client.messages.create({ to: "+15557654321", from: "+15005550006", body: "Grüße" });
  assert.match(message.sid, /^SM[0-9a-f]{32}$/);
  assert.equal(message.body, "Grüße");
  console.log("twilio 6.2 accepts the simulated carrier");
} finally {
  gateway.server.close();
  gateway.server.closeAllConnections();
}
