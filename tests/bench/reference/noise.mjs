// noise.mjs KIND URL: what else a gateway may have to do while calls run. Prints "ready" when it has begun; ends when killed.
//   handshakes  50 new TLS connections a second, each with one request
//   requests    200 requests a second: unsigned webhooks, which cost a signature check and a refusal
//   metrics     100 scrapes a second of the operations port: the back office's dearest request
//   stalled     2,000 connections that send half a request and then nothing, opened again whenever one is closed
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'

const [kind, target] = process.argv.slice(2)
const url = new URL(target)
let done = 0
let failed = 0

const count = (response) => {
  response.resume()
  response.on('end', () => ++done)
}

const every = (milliseconds, work) => setInterval(work, milliseconds)

const request = (secure, path, options = {}) => {
  const client = secure ? https : http
  const sent = client.request(new URL(path, url), { rejectUnauthorized: false, ...options }, count)
  sent.on('error', () => ++failed)
  sent.end(options.method === 'POST' ? 'CallSid=CA00000000000000000000000000000000' : undefined)
}

const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } }

const stall = () => {
  const socket = net.connect(url.port, url.hostname)
  socket.on('connect', () => {
    ++done
    socket.write('POST /api/twilio/voice-callback HTTP/1.1\r\nHost: ')
  })
  socket.on('error', () => ++failed)
  socket.on('close', () => setTimeout(stall, 20))
}

const kinds = {
  handshakes: () => every(20, () => request(true, '/api/twilio/voice-callback', { ...form, agent: false })),
  requests: () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
    every(5, () => request(false, '/api/twilio/voice-callback', { ...form, agent }))
  },
  metrics: () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
    every(10, () => request(false, '/metrics', { agent }))
  },
  stalled: () => {
    for (let i = 0; i < 2000; ++i) setTimeout(stall, i)
  },
}

if (!(kind in kinds)) {
  console.error('noise: there is no ' + kind)
  process.exit(2)
}
kinds[kind]()
console.log('ready')
process.on('SIGTERM', () => {
  console.log(`${kind}: ${done} done, ${failed} failed`)
  process.exit(0)
})
