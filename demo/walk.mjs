// The walk of the demo: requests through the filter, each with the expected answer.

import * as terminal from './terminal.mjs';
import { OTHER_AUDIENCE } from './authorization-server.mjs';
import { decode, parse as json } from './json.mjs';

const TARGET = '/phoneverify/1.0.0/CheckPhoneNumber?PhoneNumber=18006785432&LicenseKey=0';

/** Expected answers. `reaches`: the request reaches the API. */
const ADMITTED = { status: 200, reaches: true };
const FORBIDDEN = { status: 403, error: null, reaches: false };
const REFUSED = { status: 401, error: 'invalid_token', reaches: false };

/**
 * The steps. The command `token` sets `variable`, whose value the request carries. The commands in `first`
 * run before it and may set variables, too.
 */
function steps({ http, https, certificate, issuer, clients, console: portal }) {
  const [rs256, es256, opaque] = clients;

  // Sets a shell variable to a token from the client-credentials grant.
  const grant = (variable, client, ...more) => [
    `${variable}=$(curl -sS -u ${client.id}:${client.secret} \\`,
    ...more.map((argument) => ` ${argument} \\`),
    ` -d grant_type=client_credentials ${issuer}/token \\`,
    " | node -p 'JSON.parse(fs.readFileSync(0)).access_token')",
  ].join('\n');

  // Sets a shell variable to a client of the developer portal, as JSON.
  const application = (variable, what, body) => ({
    variable,
    command: [
      `${variable}=$(curl -sS -H 'content-type: application/json' \\`,
      ` -d ${body} ${portal}applications/${what})`,
    ].join('\n'),
  });
  const keys = (variable, keytype, subscribedAPIs) => application(
    variable,
    'keys',
    `'${JSON.stringify({ keytype, subscribedAPIs })}'`,
  );
  const grantTo = (variable, client, ...more) => [
    `${variable}=$(curl -sS -u "$(node -p 'let a = JSON.parse(process.argv[1]);`,
    ` a.client_id + ":" + a.client_secret' "$${client}")" \\`,
    ...more.map((argument) => ` ${argument} \\`),
    ` -d grant_type=client_credentials ${issuer}/token \\`,
    " | node -p 'JSON.parse(fs.readFileSync(0)).access_token')",
  ].join('\n');
  const subscription = [{ name: 'PhoneVerification', version: '1.0.0' }];

  return [
    {
      title: 'A request without a token is refused',
      url: `${http}${TARGET}`,
      expected: { status: 401, error: null, reaches: false },
    },
    {
      title: `A token of the client ${rs256.id}, signed with ${rs256.algorithm}, is admitted`,
      variable: 'TOKEN',
      token: grant('TOKEN', rs256),
      algorithm: rs256.algorithm,
      url: `${http}${TARGET}`,
      expected: ADMITTED,
    },
    {
      title: `A token of the client ${es256.id}, signed with ${es256.algorithm}, is admitted`,
      variable: 'TOKEN_ES256',
      token: grant('TOKEN_ES256', es256),
      algorithm: es256.algorithm,
      url: `${http}${TARGET}`,
      expected: ADMITTED,
    },
    {
      title: 'The token of step 2 is also admitted over HTTPS',
      variable: 'TOKEN',
      options: `--cacert ${quoted(certificate)}`,
      url: `${https}${TARGET}`,
      expected: ADMITTED,
    },
    {
      title: 'The token of step 2, changed to expire a day later, is refused',
      variable: 'TAMPERED',
      token: [
        'TAMPERED=$(node -p \'let [head, claims, signature] = process.argv[1].split(".");',
        ' claims = JSON.parse(Buffer.from(claims, "base64url")); claims.exp += 86400;',
        ' claims = Buffer.from(JSON.stringify(claims)).toString("base64url");',
        ' [head, claims, signature].join(".")\' "$TOKEN")',
      ].join('\n'),
      url: `${http}${TARGET}`,
      expected: REFUSED,
    },
    {
      title: 'A token that is valid for one second is refused after two seconds',
      variable: 'EXPIRED',
      token: `${grant('EXPIRED', rs256, '-d validity_period=1')}\nsleep 2`,
      url: `${http}${TARGET}`,
      expected: { ...REFUSED, description: 'The access token expired' },
    },
    {
      title: 'A valid token for another API is refused',
      variable: 'OTHER',
      token: grant('OTHER', rs256, `-d resource=${OTHER_AUDIENCE}`),
      url: `${http}${TARGET}`,
      expected: REFUSED,
    },
    {
      title: 'An opaque token, which only the authorization server can read, is admitted',
      variable: 'OPAQUE',
      opaque: true,
      token: grant('OPAQUE', opaque),
      url: `${http}${TARGET}`,
      expected: ADMITTED,
    },
    {
      title: 'The opaque token is refused after it is revoked: the gate asks again after a second',
      first: [{
        command: [
          `curl -sS -u ${opaque.id}:${opaque.secret} \\`,
          ` -d token="$OPAQUE" ${issuer}/revoke && sleep 2`,
        ].join('\n'),
      }],
      variable: 'OPAQUE',
      url: `${http}${TARGET}`,
      expected: { ...REFUSED, description: 'The access token is not active' },
    },
    {
      title: 'A token that never expires is admitted',
      first: [keys('APP', 'PRODUCTION', subscription)],
      variable: 'ENDLESS',
      token: grantTo('ENDLESS', 'APP', '-d validity_period=-1'),
      url: `${http}${TARGET}`,
      expected: ADMITTED,
    },
    {
      title: 'It is refused after its client changes the secret: the gate reads the list of revoked tokens every 2 s',
      first: [{
        ...application('APP', 'secret', '"$APP"'),
      }, { command: 'sleep 6' }],
      variable: 'ENDLESS',
      url: `${http}${TARGET}`,
      expected: { ...REFUSED, description: 'The access token has been revoked' },
    },
    {
      title: 'A token that was issued with the new secret is admitted',
      variable: 'RENEWED',
      token: grantTo('RENEWED', 'APP'),
      url: `${http}${TARGET}`,
      expected: ADMITTED,
    },
    {
      title: 'A token without a subscription to the API is refused',
      first: [keys('STRANGER', 'PRODUCTION', [])],
      variable: 'UNSUBSCRIBED',
      token: grantTo('UNSUBSCRIBED', 'STRANGER'),
      url: `${http}${TARGET}`,
      expected: FORBIDDEN,
    },
    {
      title: 'A token of a sandbox key is admitted on the sandbox host',
      first: [keys('TRIAL', 'SANDBOX', subscription)],
      variable: 'SANDBOX',
      token: grantTo('SANDBOX', 'TRIAL'),
      url: `${http}${TARGET}`,
      expected: ADMITTED,
    },
    {
      title: 'The sandbox token is refused on the production host',
      variable: 'SANDBOX',
      options: "-H 'Host: production.example.com'",
      url: `${http}${TARGET}`,
      expected: FORBIDDEN,
    },
  ];
}

/**
 * Prints and runs every command, and prints the answers and whether they are as expected. `seen` returns
 * the number of requests that have reached the API so far. `numbered` gets the steps.
 */
export async function walk({ shell, seen, ...addresses }, numbered) {
  if (shell.preparation) {
    terminal.heading('This environment sets a proxy. Before you repeat the commands, run:');
    terminal.command(shell.preparation);
  }

  const atStart = seen();
  const story = steps(addresses);
  for (const step of story) {
    numbered.begin(step.title);
    numbered.conclude(await perform(step, shell, seen));
  }

  const reached = seen() - atStart;
  const admitted = story.filter((step) => step.expected.reaches).length;
  numbered.begin('No refused request reached the API');
  terminal.paragraph(
    `${admitted} of the ${story.length} requests had a valid token. The sample API has logged ${reached} `
    + 'requests.',
  );
  numbered.conclude(
    reached === admitted ? [] : [`expected ${admitted} requests at the API, got ${reached}`],
  );
}

/**
 * Performs one step. Returns the differences. The request has the token as a bearer token, or the `headers` of
 * the step; the command in `then` runs after the token has been issued.
 */
export async function perform(step, shell, seen) {
  for (const { variable, command } of step.first ?? []) {
    terminal.command(command);
    await (variable ? shell.set(variable, command) : shell.run(command));
  }
  if (step.token) {
    terminal.command(step.token);
    const { value, stderr } = await shell.set(step.variable, step.token);
    const token = step.opaque ? { header: null, claims: value } : decode(value);
    if (!token?.claims) {
      return [`no token was issued: ${(stderr || value).trim().split('\n').pop()}`];
    }
    if (!step.opaque) {
      terminal.jwt(token);
    }
    if (step.algorithm && token.header.alg !== step.algorithm) {
      return [`expected a token signed with ${step.algorithm}, got ${token.header.alg}`];
    }
  }

  if (step.then) {
    terminal.command(step.then.command);
    await shell.set(step.then.variable, step.then.command);
  }
  const headers = step.headers ?? (step.variable ? [`Authorization: Bearer $${step.variable}`] : []);
  const request = [
    `curl -isS${[step.options, ...headers.map((header) => `-H "${header}"`)]
      .filter(Boolean).map((option) => ` ${option}`).join('')} \\`,
    ` '${step.url}'`,
  ].join('\n');
  terminal.command(request);

  const before = seen();
  const { stdout, stderr } = await shell.run(request);
  const answer = parse(stdout);
  if (!answer) {
    return [`no answer: ${stderr.trim().split('\n').pop()}`];
  }
  terminal.line(`  ${terminal.bold(answer.statusLine)}`);
  if (answer.challenge !== null) {
    terminal.challenge(answer.challenge);
  }
  terminal.value(answer.body);
  return differences(step.expected, answer, seen() - before);
}

/** The differences between an answer and the expected one. */
function differences(expected, answer, reached) {
  const found = [];
  const compare = (what, wanted, got) => {
    if (wanted !== got) {
      found.push(`expected ${what} ${wanted ?? '(none)'}, got ${got ?? '(none)'}`);
    }
  };

  compare('status', expected.status, answer.status);
  compare('requests at the API', expected.reaches ? 1 : 0, reached);
  if (answer.status !== expected.status) {
    return found;
  }
  if (expected.status === 200) {
    compare('"valid" in the body', true, answer.body?.valid);
  } else {
    const challenge = answer.challenge ?? '';
    const parameter = (name) => new RegExp(`[ ,]${name}="([^"]*)"`).exec(challenge)?.[1] ?? null;
    compare('a challenge of the scheme', expected.scheme ?? 'Bearer', challenge.split(' ')[0] || null);
    compare('error', expected.error, parameter('error'));
    if (expected.description) {
      compare('error_description', expected.description, parameter('error_description'));
    }
  }
  return found;
}

/** Parses the output of `curl -i`: the status, the challenge, and the body, parsed if it is JSON. */
function parse(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const [statusLine, ...headers] = head.split('\r\n');
  const status = /^HTTP\/\S+ (\d{3})/.exec(statusLine)?.[1];
  if (!status) {
    return null;
  }
  const challenge = headers.find((header) => /^www-authenticate:/i.test(header));
  return {
    statusLine: statusLine.trim(),
    status: Number(status),
    challenge: challenge ? challenge.slice(challenge.indexOf(':') + 1).trim() : null,
    body: json(rest.join('\r\n\r\n')),
  };
}

/** A path, quoted for a shell if necessary. */
function quoted(path) {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
