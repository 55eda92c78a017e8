// A server on the loopback address that answers with a function from `Request` to `Response`, as the MCP SDK
// has them.

import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { LOOPBACK, SERVER, close, listen } from '../../../tools/listen.mjs';

const WITHOUT_BODY = ['GET', 'HEAD'];

/** The `Request` that has arrived as `incoming`, once it is complete. */
async function webRequest(incoming) {
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index], incoming.rawHeaders[index + 1]);
  }
  const body = WITHOUT_BODY.includes(incoming.method) ? null : await buffer(incoming);
  return new Request(`http://${incoming.headers.host ?? LOOPBACK}${incoming.url}`, {
    method: incoming.method, headers, body,
  });
}

/** Writes `response` and cancels its body when the client goes away. */
async function write(response, outgoing) {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  // Before the first event of a stream there may be a long pause.
  outgoing.flushHeaders();
  const reader = response.body?.getReader();
  outgoing.once('close', () => reader?.cancel().catch(() => {}));
  for (let part = await reader?.read(); part && !part.done; part = await reader.read()) {
    outgoing.write(part.value);
  }
  outgoing.end();
}

/** Starts a server on a free port. Returns `{ port, stop() }`. */
export async function serveWeb(answer) {
  const server = createServer(SERVER, async (incoming, outgoing) => {
    try {
      await write(await answer(await webRequest(incoming)), outgoing);
    } catch (error) {
      outgoing.destroy(error);
    }
  });
  const port = await listen(server, 0);
  const stop = () => close(server);
  return { port, stop };
}
