// The same proofs go to the gate and to the userinfo endpoint of `oidc-provider`: their verdicts are the same, but for
// the differences that `support/proof-cases.mjs` lists and explains. `docs/suites.md` has the figures.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../../tools/checkout.mjs';
import { LOOPBACK, SERVER, freePorts, listen } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { dpopProvider, startGates } from './support/dpop-gate.mjs';
import { startDpopServer } from './support/dpop-server.mjs';
import { makeKey, makeProof } from './support/proof.mjs';
import { DIFFERENCES, proofCases, requestCases } from './support/proof-cases.mjs';

const FEWEST_CASES = 200;
/** The section of `docs/suites.md`. */
const TITLE = 'Proofs of oidc-provider';

let server;
let gatePort;
let forwarded = 0;
let stop;

before(async () => {
  server = await startDpopServer();
  const upstream = createServer(SERVER, (incoming, response) => {
    forwarded += 1;
    response.end('{}');
  });
  const upstreamPort = await listen(upstream, 0);
  [gatePort] = await freePorts(1);
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  await startGates(processes, {
    name: 'dpop-verdicts',
    issuerPort: server.port,
    upstreamPort,
    gates: [{
      name: 'userinfo',
      port: gatePort,
      configuration: {
        providers: { cloud: { ...dpopProvider(server.issuer), sender_constraint: 'when_present' } },
        dpop: {},
        // Proofs are for the endpoint of the authorization server.
        public_urls: [server.issuer],
      },
    }],
  });
  stop = async () => {
    await processes.stop();
    await server.stop();
    await new Promise((resolve) => { upstream.close(resolve); upstream.closeAllConnections(); });
    process.off('exit', kill);
  };
});
after(() => stop?.());

/** Sends a GET request for `/me` with these headers, a list of names and values. Returns `{ status, challenge }`. */
function send(port, headers, query = '') {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: LOOPBACK, port, path: `/me${query}`, headers: ['Host', `${LOOPBACK}:${port}`, ...headers], agent: false,
    }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => resolve({
        status: response.statusCode, challenge: response.headers['www-authenticate'] ?? '',
      }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Who accepts a request, as `{ gate, server }`, and what they answer. */
async function verdicts(headers, query) {
  const before = forwarded;
  const [gate, issuer] = [await send(gatePort, headers, query), await send(server.port, headers, query)];
  assert.ok([200, 400, 401].includes(gate.status), `status ${gate.status}`);
  // The server answers 500 to a key whose coordinates are lists.
  assert.ok([200, 400, 401, 500].includes(issuer.status), `status ${issuer.status}`);
  const accepted = { gate: gate.status === 200, server: issuer.status === 200 };
  assert.equal(forwarded - before, accepted.gate ? 1 : 0, 'what is refused does not reach the upstream');
  return { accepted, answers: { gate, server: issuer } };
}

/** What `docs/suites.md` must say about these cases. */
function figures(cases) {
  const differing = cases.filter(({ difference }) => difference !== undefined);
  const only = (who) => differing.filter(({ difference }) => DIFFERENCES[difference].only === who).length;
  const reasons = differing.map(({ difference }) => DIFFERENCES[difference].reason);
  return [
    `${cases.length} cases, ${differing.length} differ: ${only('server')} refused only by the gate, ${only('gate')} refused `
      + 'only by the source, 0 refused by both with different answers.\n',
    ...[...new Set(reasons)].sort().map(
      (reason) => `- ${reasons.filter((other) => other === reason).length}: ${reason}`,
    ),
  ].join('\n');
}

test('the verdicts on proofs are those of oidc-provider, but for the listed differences', async () => {
  const key = makeKey('ES256');
  const token = await server.userToken(key.thumbprint);
  const other = await server.userToken(key.thumbprint);
  const unbound = await server.userToken();
  const htu = `${server.issuer}/me`;
  const cases = [];
  const wrong = [];
  const judge = ({ name, difference }, { accepted, answers }) => {
    const actual = accepted.gate === accepted.server ? undefined : (accepted.gate ? 'gate' : 'server');
    const expected = difference && DIFFERENCES[difference].only;
    if (actual !== expected) {
      wrong.push({ name, acceptedOnlyBy: actual, expected, answers });
    }
    cases.push({ name, difference, accepted });
  };
  for (const one of proofCases({ key, token, base: server.issuer })) {
    const signer = one.alg === undefined ? key : makeKey(one.alg);
    const bound = signer === key ? token : await server.userToken(signer.thumbprint);
    const proof = makeProof({ key: signer, token: bound, htu }, one.changes);
    judge(one, await verdicts(['Authorization', `DPoP ${bound}`, 'DPoP', proof]));
  }
  for (const one of requestCases({ key, token, other, unbound, htu })) {
    judge(one, await verdicts(one.headers, one.query));
  }
  const headers = ['Authorization', `DPoP ${token}`, 'DPoP', makeProof({ key, token, htu })];
  assert.deepEqual((await verdicts(headers)).accepted, { gate: true, server: true });
  judge({ name: 'the same proof again' }, await verdicts(headers));
  assert.deepEqual(wrong, []);
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length, 'names of cases are unique');
  assert.ok(cases.length >= FEWEST_CASES);
  const count = (wanted) => cases.filter(({ accepted }) => accepted.gate === wanted && accepted.server === wanted).length;
  assert.ok(count(true) >= 30 && count(false) >= 100, `${count(true)} accepted, ${count(false)} refused`);
  const text = figures(cases);
  const section = (await readFile(join(ROOT, 'docs/suites.md'), 'utf8')).split('\n## ')
    .find((one) => one.startsWith(`${TITLE}\n`));
  assert.ok(section?.trimEnd().endsWith(text), `docs/suites.md: the section "${TITLE}" must end with\n\n${text}`);
});
