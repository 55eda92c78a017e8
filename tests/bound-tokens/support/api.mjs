// The upstream: an MCP server at `/mcp`, made with the official SDK, and an API elsewhere. It records what reaches it.

import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';

import { serveWeb } from '../../mcp/support/web-server.mjs';

function notes() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('read_notes', { description: 'Reads the notes' }, () => ({
    content: [{ type: 'text', text: 'milk' }],
  }));
  return server;
}

/** Starts it. Returns `{ port, requests, stop() }`; each request is `{ path, headers }`. */
export async function startApi() {
  const handler = createMcpHandler(notes);
  const requests = [];
  const { port, stop } = await serveWeb((request) => {
    const path = new URL(request.url).pathname;
    requests.push({ path, headers: Object.fromEntries(request.headers) });
    return path === '/mcp' ? handler.fetch(request) : Response.json({ path });
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
