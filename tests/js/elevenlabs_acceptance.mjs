// The vendor's own SDKs hold a conversation with the simulated agent platform. SIM_URL names it. Exits 0 when they are
// content, 1 with a sentence when not.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import WebSocket from "ws";

const require = createRequire(import.meta.url);
const { ElevenLabsClient } = require("@elevenlabs/elevenlabs-js");
const sdk = require("@elevenlabs/elevenlabs-js/api/resources/conversationalAi/conversation/index.js");

const simUrl = process.env.SIM_URL;
assert.ok(simUrl, "SIM_URL is not set");
const apiKey = process.env.SIM_API_KEY ?? "sk_acceptance";
const agentId = process.env.SIM_AGENT ?? "agent_sdk";
const patience = 15_000;

/// A promise that fails by itself, so that a missing event is named instead of hanging the test.
function expected(what) {
  const out = {};
  out.promise = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`did not happen: ${what}`)), patience);
    out.resolve = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
  });
  out.promise.catch(() => {});
  return out;
}

async function restAcceptance(client) {
  const signed = await client.conversationalAi.conversations.getSignedUrl({ agentId });
  assert.match(signed.signedUrl, /^ws:\/\/.*conversation_signature=/);
  const agent = await client.conversationalAi.agents.get(agentId);
  assert.equal(agent.agentId, agentId);
  assert.equal(agent.conversationConfig.tts.agentOutputAudioFormat, "pcm_16000");
  assert.equal(agent.platformSettings.auth.enableAuth, true);
  const agents = await client.conversationalAi.agents.list();
  assert.ok(agents.agents.some((row) => row.agentId === agentId));
  const subscription = await client.user.subscription.get();
  assert.equal(subscription.tier, "creator");
  const user = await client.user.get();
  assert.equal(user.subscription.tier, "creator");
  await assert.rejects(client.conversationalAi.agents.get("agent_nobody"), (error) => error.statusCode === 404);
}

/// The Node SDK's voice conversation: private agent, audio both ways, one client tool.
async function nodeConversation(client) {
  const greeted = expected("first message in the Node SDK");
  const audio = expected("agent audio in the Node SDK");
  const toolUsed = expected("client tool call in the Node SDK");
  const answered = expected("answer after the tool result in the Node SDK");
  const heard = expected("user transcript in the Node SDK");
  const started = expected("conversation id in the Node SDK");
  let bytes = 0;

  class Loudspeaker extends sdk.AudioInterface {
    start(input) {
      this.timer = setInterval(() => input(Buffer.alloc(640)), 20);
    }
    stop() {
      clearInterval(this.timer);
    }
    output(chunk) {
      bytes += chunk.length;
      if (bytes >= 16_000) audio.resolve();
    }
    interrupt() {}
  }
  const clientTools = new sdk.ClientTools();
  clientTools.register("find_slots", async (parameters) => {
    toolUsed.resolve(parameters);
    return JSON.stringify({ slots: ["10:00"] });
  });
  const conversation = new sdk.Conversation({
    client,
    agentId,
    requiresAuth: true,
    audioInterface: new Loudspeaker(),
    clientTools,
    config: { extraBody: {}, conversationConfigOverride: {}, dynamicVariables: { customer_name: "Ada" } },
    callbackAgentResponse: (text) => {
      if (text.startsWith("Hello Ada")) greeted.resolve();
      if (text.includes("10:00")) answered.resolve();
    },
    callbackUserTranscript: (text) => heard.resolve(text),
  });
  conversation.on("conversation_started", (id) => started.resolve(id));
  conversation.on("error", (error) => console.error(error));
  await conversation.startSession();
  const id = await started.promise;
  await greeted.promise;
  await audio.promise;
  conversation.sendUserMessage("Do you have a free slot?");
  assert.equal(await heard.promise, "Do you have a free slot?");
  const parameters = await toolUsed.promise;
  assert.equal(parameters.days, 7);
  await answered.promise;
  conversation.sendContextualUpdate("The caller pressed 1");
  conversation.registerUserActivity();
  conversation.endSession();
  return id;
}

/// The browser client's conversation over its WebSocket connection, with the sub-protocol it insists on.
async function browserConversation(client) {
  globalThis.WebSocket ??= WebSocket;
  const { Conversation } = await import("@elevenlabs/client");
  const greeted = expected("first message in the browser client");
  const toolUsed = expected("client tool call in the browser client");
  const answered = expected("answer after the tool result in the browser client");
  const ended = expected("end of the call in the browser client");
  const signed = await client.conversationalAi.conversations.getSignedUrl({ agentId });
  const conversation = await Conversation.startSession({
    signedUrl: signed.signedUrl,
    connectionType: "websocket",
    textOnly: true,
    dynamicVariables: { customer_name: "Ada" },
    clientTools: {
      find_slots: async (parameters) => {
        toolUsed.resolve(parameters);
        return "10:00";
      },
    },
    onMessage: ({ message, source }) => {
      const agent = source === "ai" || source === "agent";
      if (agent && message.startsWith("Hello Ada")) greeted.resolve();
      if (agent && message.includes("10:00")) answered.resolve();
    },
    onDisconnect: (details) => ended.resolve(details),
    onError: (message) => console.error("browser client:", message),
  });
  assert.match(conversation.getId(), /^conv_/);
  await greeted.promise;
  conversation.sendUserMessage("Do you have a free slot?");
  await toolUsed.promise;
  await answered.promise;
  conversation.sendUserMessage("Goodbye");
  const details = await ended.promise;
  assert.equal(details.reason, "agent");
}

async function recordAcceptance(client, id) {
  const deadline = Date.now() + patience;
  for (;;) {
    const detail = await client.conversationalAi.conversations.get(id);
    if (detail.status === "done") {
      assert.equal(detail.agentId, agentId);
      const lines = detail.transcript.map((turn) => turn.message).filter((message) => message !== null && message !== undefined);
      assert.ok(lines.some((line) => line.startsWith("Hello Ada")), "the transcript lacks the greeting");
      assert.ok(lines.includes("Do you have a free slot?"), "the transcript lacks what the user said");
      const calls = detail.transcript.flatMap((turn) => turn.toolCalls ?? []);
      assert.equal(calls[0].toolName, "find_slots");
      assert.match(detail.analysis.transcriptSummary, /conversation/);
      assert.equal(detail.analysis.callSuccessful, "success");
      assert.ok(detail.metadata.callDurationSecs >= 0 && detail.metadata.startTimeUnixSecs > 0);
      assert.equal(detail.conversationInitiationClientData.dynamicVariables.customer_name, "Ada");
      break;
    }
    assert.ok(Date.now() < deadline, `the conversation stays ${detail.status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const list = await client.conversationalAi.conversations.list({ agentId });
  assert.ok(list.conversations.some((row) => row.conversationId === id));
}

try {
  const client = new ElevenLabsClient({ apiKey, baseUrl: simUrl, maxRetries: 0 });
  await restAcceptance(client);
  const id = await nodeConversation(client);
  await browserConversation(client);
  await recordAcceptance(client, id);
  console.log("the official SDKs accept the simulator");
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
