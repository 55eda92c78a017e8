// docs/bound-tokens.md, the part about DPoP: its commands print what it says, with envoy/dpop.yaml.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import { ROOT, requireFiles } from '../../tools/checkout.mjs';
import { consoleSteps, outputPattern, parseDocument } from '../../tools/documents.mjs';
import { LOOPBACK, SERVER, freePorts, listen } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { CLIENT, startDpopAuthorizationServer } from './support/dpop-authorization-server.mjs';
import { startExample } from './support/example.mjs';

const PAGE = parseDocument('docs/bound-tokens.md').text.split('\n## DPoP\n')[1];
const [WITHOUT_NONCES, WITH_NONCES] = PAGE.split('\n### Nonces\n');

const TOOLS = join(ROOT, 'target/release');
const CHECK = join(TOOLS, 'bearer-gate-check');

let running;

/** Starts the example with the configuration `dpop` for the gate. `name` is for the files of this run. */
async function start(name, dpop) {
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  const authorization = await startDpopAuthorizationServer();
  const forwarded = [];
  const upstream = createServer(SERVER, ({ headers }, response) => {
    forwarded.push(headers);
    response.end('{"orders":[]}');
  });
  const [port] = await freePorts(1);
  const ports = { api: port, issuer: authorization.port, upstream: await listen(upstream, 0) };
  const api = `http://${LOOPBACK}:${port}`;
  const { configuration } = await startExample(processes, {
    file: 'dpop.yaml',
    name,
    ports,
    urls: { api, issuer: authorization.issuer },
    replacements: [['dpop: {}', `dpop: ${dpop}`]],
    environment: { DPOP_NONCE_KEY: randomBytes(32).toString('base64') },
  });

  // The directory in which the commands run.
  const directory = join(ROOT, 'target/tmp/bound-tokens', `${name}-page`);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  await symlink(join(import.meta.dirname, 'node_modules'), join(directory, 'node_modules'));
  const { blocks } = parseDocument('docs/bound-tokens.md', WITHOUT_NONCES);
  const script = blocks.find(({ language }) => language === 'js').text;
  await writeFile(join(directory, 'proof.mjs'), `${script}\n`);
  await copyFile(configuration, join(directory, 'envoy.yaml'));

  running = {
    api, forwarded, issuer: authorization.issuer, directory, processes,
    async stop() {
      await processes.stop();
      await authorization.stop();
      await new Promise((resolve) => { upstream.close(resolve); upstream.closeAllConnections(); });
      process.off('exit', kill);
    },
  };
}

/** `text` with the names of this run for those of the example. */
const here = (text) => text.replaceAll('https://api.example', running.api)
  .replaceAll('"api.example"', `"${new URL(running.api).host}"`)
  .replaceAll('https://issuer.example', running.issuer)
  .replaceAll('app:secret', `${CLIENT.id}:${CLIENT.secret}`);

/** The commands on `page` with the lines that they are expected to print. */
const steps = (page) => consoleSteps(parseDocument('docs/bound-tokens.md', page));

/** Runs `commands` in one shell. Returns what each printed. */
async function outputs(commands) {
  const variables = /^ {4}(API=.*)\n {4}(ISSUER=.*)\n/m.exec(PAGE).slice(1);
  const script = here([
    `cd '${running.directory}'`, `PATH='${TOOLS}':$PATH`, ...variables,
    ...commands.map((command) => `${command}\necho '--- next'`),
  ].join('\n'));
  const { stdout, stderr } = await running.processes.run('bash', ['-c', script]);
  const found = stdout.replaceAll('\r', '').split('--- next\n').slice(0, -1);
  assert.equal(found.length, commands.length, stderr);
  return found;
}

async function check(page, first = []) {
  const expected = steps(page);
  const found = await outputs([...first, ...expected.map(({ command }) => command)]);
  for (const [index, { command, expected: wanted }] of expected.entries()) {
    assert.match(found[first.length + index], outputPattern(wanted.map(here)), command);
  }
}

describe('without nonces', () => {
  before(() => start('documentation-dpop', '{}'));
  after(() => running?.stop());

  test('the commands print what the page says', async () => {
    requireFiles([[CHECK, 'make check']]);
    await check(WITHOUT_NONCES);
    const [headers] = running.forwarded;
    assert.equal(headers.authorization, undefined);
    assert.equal(headers.dpop, undefined);
  });

  test('clients in browsers may send proofs, and read why they are refused', async () => {
    const origin = 'https://app.example';
    const refused = await fetch(`${running.api}/orders`, { headers: { origin } });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get('access-control-allow-origin'), origin);
    assert.equal(refused.headers.get('access-control-expose-headers'), 'www-authenticate, dpop-nonce');
    assert.match(refused.headers.get('www-authenticate'), /^DPoP /);
    const preflight = await fetch(`${running.api}/orders`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    });
    assert.equal(preflight.status, 200);
    assert.match(preflight.headers.get('access-control-allow-headers'), /\bdpop\b/);
  });
});

describe('with nonces', () => {
  before(() => start(
    'documentation-nonces',
    '{ nonce: required, nonce_key_environment_variable: DPOP_NONCE_KEY, nonce_lifetime: 10s }',
  ));
  after(() => running?.stop());

  /** The commands by which the first part of the page gets a token. */
  const first = () => steps(WITHOUT_NONCES).map(({ command }) => command)
    .filter((command) => /^(TOKEN=|request\(\))/.test(command));

  test('the commands print what the page says', () => check(WITH_NONCES, first()));

  test('a successful answer brings a new nonce when the old one has passed half its life', async () => {
    const commands = first();
    const get = (nonce) => `request "$(node proof.mjs GET $API/orders $TOKEN ${nonce})"`;
    const inAnswer = (answer) => /^dpop-nonce: (.*)$/m.exec(answer)?.[1];
    const token = (await outputs([...commands, 'echo $TOKEN'])).at(-1).trim();
    const send = async (nonce) => (
      await outputs([commands.find((command) => command.startsWith('request()')), `TOKEN=${token}`, get(nonce)])
    ).at(-1);
    let nonce = inAnswer(await send(''));
    for (let tries = 0; ; tries += 1) {
      assert.ok(tries < 100, 'no successful answer brings a nonce');
      const answer = await send(nonce);
      const next = inAnswer(answer);
      if (answer.startsWith('HTTP/1.1 200') && next) {
        assert.notEqual(next, nonce);
        assert.ok((await send(next)).startsWith('HTTP/1.1 200'));
        return;
      }
      // A nonce that ended during a pause of this machine is replaced, and the next one may be faster.
      nonce = next ?? nonce;
      await sleep(500);
    }
  });
});
