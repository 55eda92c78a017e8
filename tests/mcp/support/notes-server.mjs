// An MCP server with two tools, made with the official SDK. It records what reaches it.

import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';

import { serveWeb } from './web-server.mjs';

const text = (value) => ({ content: [{ type: 'text', text: value }] });

function notes() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('read_notes', { description: 'Reads the notes' }, () => text('milk'));
  server.registerTool('write_note', { description: 'Writes a note' }, () => text('written'));
  return server;
}

/**
 * Starts the server. Returns `{ port, requests, stop() }`; each request is `{ http, rpc, tool, headers }`: the HTTP
 * method, the method and the tool of the JSON-RPC message, and the headers.
 */
export async function startNotesServer() {
  const handler = createMcpHandler(notes);
  const requests = [];
  const { port, stop } = await serveWeb(async (request) => {
    const body = request.body === null ? '' : await request.clone().text();
    const message = body === '' ? {} : JSON.parse(body);
    requests.push({
      http: request.method,
      rpc: message.method ?? null,
      tool: message.params?.name ?? null,
      headers: Object.fromEntries(request.headers),
    });
    return handler.fetch(request);
  });
  return {
    port,
    requests,
    async stop() {
      await handler.close();
      await stop();
    },
  };
}
