import { createServer } from "node:http";
import { WebSocketServer } from "ws";
const port = 4123;
const server = createServer((req, res) => {
  req.resume();
  req.on("end", () => {
    if (req.url.startsWith("/api/twilio/voice-callback")) {
      res.setHeader("Content-Type", "text/xml");
      res.end(`<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="ws://127.0.0.1:${port}/media"><Parameter name="t" value="1"/></Stream></Connect><Hangup/></Response>`);
    } else { res.statusCode = 204; res.end(); }
  });
});
const wss = new WebSocketServer({ server });
wss.on("connection", (ws) => {
  let sid, n = 0, cleared = false, loud = 0;
  ws.on("message", (raw) => {
    const m = JSON.parse(raw);
    if (m.event === "start") sid = m.streamSid;
    if (m.event === "media") {
      ws.send(JSON.stringify({ event: "media", streamSid: sid, media: { payload: m.media.payload } }));
      if (++n % 25 === 0) ws.send(JSON.stringify({ event: "mark", streamSid: sid, mark: { name: "m" + n } }));
      if (n === 150) ws.send(JSON.stringify({ event: "clear", streamSid: sid }));
    }
    if (m.event === "dtmf") ws.close(1000);
  });
});
server.listen(port, "127.0.0.1");
