// The sample MCP server that the filter protects: a phone book with a tool that reads and one that writes.
//
//   POST /mcp   {"method": "tools/call", "params": {"name": "read_entry", "arguments": {"name": "Ada"}}, …}
//
// It does not check tokens: the filter in front of it does. It keeps no sessions and answers clients of
// every revision of the protocol.

import { createServer } from 'node:http';
import { Readable } from 'node:stream';

import { McpServer, createMcpHandler, fromJsonSchema } from '@modelcontextprotocol/server';

import { readBody } from '../tools/body.mjs';
import { LOOPBACK, SERVER, listen } from '../tools/listen.mjs';

const PATH = '/mcp';
const BODY_LIMIT = 65_536;
const ENTRIES_LIMIT = 100;

/** The phone book at the start. */
const ENTRIES = [['Ada', '+1 212-555-0142'], ['Grace', '+1 202-555-0117']];

/** The schema of arguments that are all short strings and all required. */
function strings(...names) {
  return fromJsonSchema({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string', maxLength: 40 }])),
    required: names,
    additionalProperties: false,
  });
}

/** The result of a tool: a sentence. */
function says(text, isError = false) {
  return { content: [{ type: 'text', text }], isError };
}

/** An MCP server with the tools of a phone book. The scopes they need are configured at the gate. */
function phoneBook(entries) {
  const server = new McpServer({ name: 'phone-book', version: '1.0.0' });
  server.registerTool('read_entry', {
    description: 'Looks up a phone number',
    inputSchema: strings('name'),
  }, ({ name }) => (entries.has(name)
    ? says(`${name}: ${entries.get(name)}`)
    : says(`${name} is not in the phone book`, true)));
  server.registerTool('write_entry', {
    description: 'Writes a phone number into the book',
    inputSchema: strings('name', 'number'),
  }, ({ name, number }) => {
    if (entries.size >= ENTRIES_LIMIT && !entries.has(name)) {
      return says('The phone book is full', true);
    }
    entries.set(name, number);
    return says(`${name}: ${number} is written`);
  });
  return server;
}

/** What a request asks for, for the log: the method of the protocol and, of a call, the tool. */
function asked(body) {
  let text = '';
  try {
    const { method, params } = JSON.parse(body);
    text = method === 'tools/call' ? `${method} ${params.name}` : String(method);
  } catch {
    // Shown as `-`, like what could confuse a terminal.
  }
  return /^[\w ./-]{1,80}$/.test(text) ? text : '-';
}

/** Answers a request with what `handle` makes of it. Returns the status and what was asked for. */
async function answer(handle, request, response) {
  const body = await readBody(request, BODY_LIMIT);
  if (body === null) {
    response.writeHead(413, { connection: 'close' }).end();
    return [413, '-'];
  }
  const { status, headers, body: content } = await handle(new Request(`http://${LOOPBACK}${PATH}`, {
    method: request.method,
    headers: request.headers,
    ...(body.length > 0 && { body }),
  }));
  response.writeHead(status, Object.fromEntries(headers));
  if (content) {
    Readable.fromWeb(content).on('error', () => response.destroy()).pipe(response);
  } else {
    response.end();
  }
  return [status, asked(body)];
}

/**
 * Starts the server on the loopback address. `log` gets one line per request, with the method of the
 * protocol but no header and no argument.
 */
export async function startMcpServer({ port, log }) {
  const entries = new Map(ENTRIES);
  const { fetch: handle } = createMcpHandler(() => phoneBook(entries));

  const server = createServer(SERVER, async (request, response) => {
    if (request.url.split('?')[0] !== PATH) {
      response.writeHead(404).end();
      return;
    }
    try {
      const [status, what] = await answer(handle, request, response);
      log(`${request.method} ${PATH} ${what} ${status}`);
    } catch (error) {
      log(`${request.method} ${PATH} error: ${error.message}`);
      response.destroy();
    }
    request.resume();
  });
  return { server, port: await listen(server, port) };
}
