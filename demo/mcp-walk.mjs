// The chapter of the walk about MCP: a client finds the authorization server by itself, calls a tool that
// reads, and steps up for one that writes.

import * as terminal from './terminal.mjs';
import { Exchange } from './mcp-exchange.mjs';
import { mcpClient } from './mcp-client.mjs';

const READ = 'mcp:read';
const BOTH = 'mcp:read mcp:write';

/**
 * The requests that the client is expected to send, in their order. Some begin a step: they have a
 * `title`. `expected` has the status, and what the answer must say: `challenge` the error and the scope of
 * the challenge, `token` the scope of the token, `answer` members of the document or of the result.
 */
function script({ resource, document, issuer }) {
  const mcp = (call) => `POST ${resource} ${call}`;
  const token = (scope) => ({ status: 200, form: { resource, scope }, token: { scope, aud: resource } });
  const says = (text) => ({ status: 200, answer: { content: [{ type: 'text', text }] } });
  const challenge = (error, scope) => ({ error, scope, resourceMetadataUrl: document });
  const described = {
    request: `GET ${document}`,
    expected: { status: 200, answer: { resource, authorization_servers: [issuer] } },
  };
  const authorizationServer = {
    request: `GET ${issuer}/.well-known/oauth-authorization-server`,
    expected: { status: 200, answer: { issuer } },
  };
  return [
    {
      title: 'An MCP client without a token gets a challenge that names a document and a scope',
      request: mcp('server/discover'),
      expected: { status: 401, challenge: challenge(undefined, READ) },
    },
    {
      title: 'The gate serves the document, which names the authorization server',
      ...described,
    },
    authorizationServer,
    {
      title: 'The client gets a token for this MCP server with the scope of the challenge',
      request: `POST ${issuer}/token`,
      expected: token(READ),
    },
    {
      title: 'With this token, the client calls the tool that reads',
      request: mcp('server/discover'),
      expected: { status: 200 },
    },
    {
      request: mcp('tools/call read_entry'),
      expected: says('Ada: +1 212-555-0142'),
    },
    {
      title: 'The tool that writes needs another scope, which the challenge names',
      request: mcp('tools/call write_entry'),
      expected: { status: 403, challenge: challenge('insufficient_scope', BOTH) },
    },
    {
      title: 'The client steps up: it gets a token with both scopes and calls the tool again',
      ...described,
    },
    authorizationServer,
    {
      request: `POST ${issuer}/token`,
      expected: token(BOTH),
    },
    {
      request: mcp('tools/call write_entry'),
      expected: says('Linus: +1 503-555-0199 is written'),
    },
  ];
}

/** The differences between the members of an object that are expected and those it has. */
function compare(what, wanted, got) {
  return Object.entries(wanted ?? {}).flatMap(([name, value]) => {
    const [left, right] = [value, got?.[name]].map((each) => (
      JSON.stringify(each instanceof URL ? each.href : each) ?? '(none)'));
    return left === right ? [] : [`expected ${name} ${left} in the ${what}, got ${right}`];
  });
}

/** The differences between an exchange and the expected one. */
function differences({ request, expected }, exchange) {
  if (exchange.request !== request) {
    return [`expected the request ${request}, got ${exchange.request}`];
  }
  if (exchange.status !== expected.status) {
    return [`expected status ${expected.status}, got ${exchange.status}`];
  }
  return [
    ...compare('form', expected.form, exchange.form),
    ...compare('challenge', expected.challenge, exchange.challenged),
    ...compare('token', expected.token, exchange.token?.claims),
    ...compare('answer', expected.answer, exchange.answer),
  ];
}

/** Prints what the client sends and gets, and compares it with the script. */
class Narrator {
  #script;
  #numbered;
  /** The differences of the current step; `null` before the first one. */
  #found = null;
  #told = 0;

  constructor(expected, numbered) {
    this.#script = expected;
    this.#numbered = numbered;
  }

  /** The `fetch` for the client. */
  fetch = async (url, init) => {
    const expected = this.#script[this.#told];
    this.#told += 1;
    if (expected?.title || this.#found === null) {
      this.begin(expected.title);
    }
    const exchange = new Exchange(url, init);
    exchange.printRequest();
    const response = await fetch(url, init);
    await exchange.answered(response);
    exchange.printAnswer();
    this.#found.push(...(expected
      ? differences(expected, exchange)
      : [`unexpected request ${exchange.request}`]));
    return response;
  };

  begin(title) {
    this.#conclude();
    this.#numbered.begin(title);
    this.#found = [];
  }

  /** Ends the chapter. `failure` is what the client has thrown, if it has. */
  end(failure) {
    if (this.#found === null) {
      this.begin(this.#script[0].title);
    }
    if (failure) {
      this.#found.push(`the client failed: ${failure.message}`);
    }
    const missing = this.#script[this.#told];
    if (missing) {
      this.#found.push(`expected another request, ${missing.request}`);
    }
    this.#conclude();
  }

  #conclude() {
    if (this.#found) {
      this.#numbered.conclude(this.#found);
    }
    this.#found = null;
  }
}

/**
 * Runs the client, and prints its requests and whether the answers are as expected. `mcp` has the URL of
 * the MCP server, that of its metadata document, the client's credentials, and a function that returns the
 * number of requests that have reached the server. `numbered` gets the steps.
 */
export async function mcpWalk({ mcp, issuer }, numbered) {
  const { resource, document, credentials, seen } = mcp;
  terminal.heading('An MCP server behind the gate');
  terminal.paragraph(
    'The client is npm\'s @modelcontextprotocol/client, unchanged. It knows the URL of the MCP server, '
    + `${resource}, and its own id and secret at the authorization server. Its requests and the answers:`,
  );

  const atStart = seen();
  const expected = script({ resource, document, issuer });
  const narrator = new Narrator(expected, numbered);
  const client = mcpClient({ url: resource, credentials, issuer, fetch: narrator.fetch });
  let failure = null;
  try {
    await client.connect();
    await client.callTool('read_entry', { name: 'Ada' });
    await client.callTool('write_entry', { name: 'Linus', number: '+1 503-555-0199' });
  } catch (error) {
    failure = error;
  }
  await client.close();
  narrator.end(failure);

  const sent = expected.filter(({ request }) => request.startsWith(`POST ${resource} `));
  const admitted = sent.filter(({ expected: { status } }) => status === 200).length;
  const reached = seen() - atStart;
  numbered.begin('No refused call reached the MCP server');
  terminal.paragraph(
    `The client sent ${sent.length} requests to it, and the gate refused ${sent.length - admitted}. `
    + `The MCP server has logged ${reached}.`,
  );
  numbered.conclude(
    reached === admitted ? [] : [`expected ${admitted} requests at the MCP server, got ${reached}`],
  );
}
