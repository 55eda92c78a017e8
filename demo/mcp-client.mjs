// A real MCP client, npm's @modelcontextprotocol/client. It is given the URL of the server and its own
// credentials, and finds out the rest by itself.

import {
  Client, ClientCredentialsProvider, StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';

/**
 * A client that is not connected yet. `fetch` sends its requests, `credentials` are `{id, secret}` at the
 * authorization server `issuer`. The client does not send them to any other.
 */
export function mcpClient({ url, credentials: { id, secret }, issuer, fetch }) {
  const client = new Client(
    { name: 'bearer-gate-demo', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch,
    authProvider: new ClientCredentialsProvider({
      clientId: id, clientSecret: secret, expectedIssuer: issuer,
    }),
  });
  return {
    connect: () => client.connect(transport),
    callTool: (name, args) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}
