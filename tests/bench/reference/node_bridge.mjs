// The bridge that people run today: Node, its http server, the `ws` package, one socket to the agent a call, JSON.parse and
// JSON.stringify for every message. Audio text is handed on as it is, which is more frugal than the common examples, and
// nothing is checked, paced or recorded. The load test drives it as it drives Switchboard.
//
//   node node_bridge.mjs --port 3002 --agent http://127.0.0.1:8800 --agent-id agent_load
//
// `ws` comes from tests/js (npm ci --prefix tests/js), or from the folder in SWITCHBOARD_JS.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const packages = process.env.SWITCHBOARD_JS ?? fileURLToPath(new URL('../../js', import.meta.url));
const { WebSocket, WebSocketServer } = createRequire(`${packages}/package.json`)('ws');

const { values: settings } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    agent: { type: 'string' },
    'agent-id': { type: 'string', default: 'agent_load' },
  },
});
if (!settings.agent) {
  console.error('node_bridge.mjs [--port N] --agent http://127.0.0.1:PORT [--agent-id ID]');
  process.exit(2);
}
const conversation = `${settings.agent.replace(/^http/, 'ws')}/v1/convai/conversation?agent_id=${settings['agent-id']}`;

function bridge(caller) {
  let streamSid;
  let agent;
  const early = [];

  const toCaller = (message) => {
    if (caller.readyState === WebSocket.OPEN) caller.send(JSON.stringify(message));
  };
  const toAgent = (message) => {
    const text = JSON.stringify(message);
    if (agent?.readyState === WebSocket.OPEN) agent.send(text);
    else if (early.length < 50) early.push(text);
  };

  const dial = (callSid) => {
    agent = new WebSocket(conversation, { perMessageDeflate: false });
    agent.on('open', () => {
      agent.send(JSON.stringify({
        type: 'conversation_initiation_client_data',
        dynamic_variables: { call_sid: callSid },
      }));
      for (const text of early.splice(0)) agent.send(text);
    });
    agent.on('message', (data) => {
      const message = JSON.parse(data);
      switch (message.type) {
        case 'audio':
          toCaller({ event: 'media', streamSid, media: { payload: message.audio_event.audio_base_64 } });
          break;
        case 'interruption':
          toCaller({ event: 'clear', streamSid });
          break;
        case 'ping':
          toAgent({ type: 'pong', event_id: message.ping_event.event_id });
          break;
      }
    });
    agent.on('error', () => caller.close());
    agent.on('close', () => caller.close());
  };

  caller.on('message', (data) => {
    const message = JSON.parse(data);
    switch (message.event) {
      case 'start':
        streamSid = message.start.streamSid;
        dial(message.start.callSid);
        break;
      case 'media':
        toAgent({ user_audio_chunk: message.media.payload });
        break;
      case 'stop':
        agent?.close();
        break;
    }
  });
  caller.on('error', () => agent?.close());
  caller.on('close', () => agent?.close());
}

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const isCall = request.url.includes('/voice-callback');
    response.setHeader('Content-Type', 'text/xml');
    response.end(isCall
      ? '<?xml version="1.0" encoding="UTF-8"?><Response><Connect>' +
        `<Stream url="ws://${request.headers.host}/media"/></Connect></Response>`
      : '');
  });
});
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', bridge);
server.listen({ port: Number(settings.port), host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`ready http://127.0.0.1:${server.address().port}`);
});
