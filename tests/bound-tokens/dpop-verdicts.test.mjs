// The same proofs go to the gate and to the userinfo endpoint of `oidc-provider`: their verdicts are the same, but for
// the differences that `support/proof-cases.mjs` lists and explains.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';

import { LOOPBACK, SERVER, freePorts, listen } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { dpopProvider, startGates } from './support/dpop-gate.mjs';
import { startDpopServer } from './support/dpop-server.mjs';
import { makeKey, makeProof } from './support/proof.mjs';
import { DIFFERENCES, proofCases, requestCases } from './support/proof-cases.mjs';

const FEWEST_CASES = 200;

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

/** Which of the two accept a request: `both`, `none`, `only the gate` or `only the server`. */
async function verdict(headers, query) {
  const before = forwarded;
  const [gate, issuer] = [await send(gatePort, headers, query), await send(server.port, headers, query)];
  const accepted = ({ status }) => status === 200;
  // What the gate refuses does not reach the upstream.
  assert.equal(forwarded - before, accepted(gate) ? 1 : 0);
  assert.ok([200, 400, 401].includes(gate.status), `status ${gate.status}`);
  // The server answers 500 to a key whose coordinates are lists.
  assert.ok([200, 400, 401, 500].includes(issuer.status), `status ${issuer.status}`);
  const who = accepted(gate) === accepted(issuer)
    ? (accepted(gate) ? 'both' : 'none')
    : `only the ${accepted(gate) ? 'gate' : 'server'}`;
  return { who, gate: `${gate.status} ${gate.challenge}`, server: `${issuer.status} ${issuer.challenge}` };
}

test('the verdicts on proofs are those of oidc-provider, but for the listed differences', async () => {
  const key = makeKey('ES256');
  const token = await server.userToken(key.thumbprint);
  const other = await server.userToken(key.thumbprint);
  const unbound = await server.userToken();
  const htu = `${server.issuer}/me`;
  const found = [];
  const counts = {};
  const used = new Set();
  const judge = ({ name, difference }, { who, ...answers }) => {
    assert.ok(!used.has(name), `two cases have the name ${name}`);
    used.add(name);
    counts[who] = (counts[who] ?? 0) + 1;
    const expected = difference === undefined ? null : DIFFERENCES[difference].split(':')[0];
    const actual = who.startsWith('only') ? who : null;
    if (actual !== expected) {
      found.push({ name, expected, actual, ...answers });
    }
  };
  for (const one of proofCases({ key, token, base: server.issuer })) {
    const signer = one.alg === undefined ? key : makeKey(one.alg);
    const bound = signer === key ? token : await server.userToken(signer.thumbprint);
    const proof = makeProof({ key: signer, token: bound, htu }, one.changes);
    judge(one, await verdict(['Authorization', `DPoP ${bound}`, 'DPoP', proof]));
  }
  for (const one of requestCases({ key, token, other, unbound, htu })) {
    judge(one, await verdict(one.headers, one.query));
  }
  const proof = makeProof({ key, token, htu });
  const headers = ['Authorization', `DPoP ${token}`, 'DPoP', proof];
  assert.equal((await verdict(headers)).who, 'both');
  judge({ name: 'the same proof again' }, await verdict(headers));
  assert.deepEqual(found, []);
  assert.ok(used.size >= FEWEST_CASES, `${used.size} cases`);
  assert.ok(counts.both >= 30 && counts.none >= 100, JSON.stringify(counts));
  console.log(`${used.size} requests: ${JSON.stringify(counts)}`);
});
