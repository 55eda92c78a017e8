// envoy/fapi.yaml fulfils the clauses of the FAPI 2.0 Security Profile for resource servers. docs/fapi.md names these tests.

import assert from 'node:assert/strict';
import { X509Certificate, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { after, before, describe, test } from 'node:test';

import { ROOT } from '../../tools/checkout.mjs';
import { LOOPBACK, SERVER, freePorts, listen } from '../../tools/listen.mjs';
import { Processes } from '../../tools/processes.mjs';
import { issue, makeAuthority } from './support/certificates.mjs';
import { startExample } from './support/example.mjs';
import { makeProver } from './support/proofs.mjs';
import { send } from './support/tls-client.mjs';
import { GATE, startTokenServer } from './support/token-server.mjs';

const STATE = join(ROOT, 'target/tmp/bound-tokens');

let authority;
let clients;
let ports;
let api;
let server;
let reached;
let stop;
/** What two clients with DPoP make proofs with. */
let alice;
let bob;

before(async () => {
  authority = await makeAuthority();
  const [certificate, ...certificates] = await Promise.all(
    ['localhost', 'alice', 'bob'].map((name) => issue(authority, name)),
  );
  clients = { alice: certificates[0], bob: certificates[1] };
  [alice, bob] = await Promise.all([makeProver(), makeProver()]);
  await mkdir(STATE, { recursive: true });
  const files = { 'server.crt': certificate.cert, 'server.key': certificate.key, 'clients-ca.crt': authority.cert };
  for (const [name, pem] of Object.entries(files)) {
    await writeFile(join(STATE, `fapi-${name}`), pem);
  }
  server = await startTokenServer();
  reached = 0;
  const upstream = createServer(SERVER, (request, response) => {
    reached += 1;
    response.end('{}');
  });
  const [port] = await freePorts(1);
  ports = { api: port, issuer: server.port, upstream: await listen(upstream, 0) };
  api = `https://localhost:${port}`;
  const processes = new Processes();
  const kill = () => processes.kill();
  process.once('exit', kill);
  await startExample(processes, {
    file: 'fapi.yaml',
    name: 'fapi',
    ports,
    urls: { api, issuer: server.issuer },
    replacements: [
      ...Object.keys(files).map((name) => [`/etc/envoy/${name}`, join(STATE, `fapi-${name}`)]),
      // Shorter, so that a test need not wait for long until a revocation counts.
      ['cache_duration: 10s', 'cache_duration: 0.5s'],
    ],
    environment: { DPOP_NONCE_KEY: randomBytes(32).toString('base64'), GATE_SECRET: GATE.secret },
  });
  stop = async () => {
    await processes.stop();
    await server.stop();
    await new Promise((resolve) => { upstream.close(resolve); upstream.closeAllConnections(); });
    process.off('exit', kill);
  };
});
after(() => stop?.());

const digest = ({ cert }) => Buffer.from(
  new X509Certificate(cert).fingerprint256.replaceAll(':', ''), 'hex',
).toString('base64url');

const toCertificate = () => ({ 'x5t#S256': digest(clients.alice) });
const toKey = () => ({ jkt: alice.thumbprint });

/** A token for the API that is good but for `changes`. */
const token = (changes = {}, header = {}) => server.sign(
  { aud: api, scope: 'accounts', cnf: toCertificate(), ...changes }, header,
);

/** The answer to a request. `reached` says whether it has come to the upstream. */
async function request({ path = '/accounts', headers = {}, certificate = null, method = 'GET' }) {
  const before = reached;
  const answer = await send({ port: ports.api, path, authority, certificate, headers, method });
  return { ...answer, reached: reached > before };
}

/** Sends a token over a connection with the certificate of Alice. */
const withCertificate = (text, options = {}) => request({
  certificate: clients.alice, headers: { authorization: `Bearer ${text}` }, ...options,
});

/** The nonce that the gate has sent last. */
let nonce;

/** Sends a token with a proof by `prover`. Gets a nonce first if the gate asks for one. */
async function withProof(text, prover, claims = {}) {
  const attempt = async () => request({
    headers: {
      authorization: `DPoP ${text}`,
      dpop: await prover.prove('GET', `${api}/accounts`, text, { nonce, ...claims }),
    },
  });
  const answer = await attempt();
  nonce = answer.headers['dpop-nonce'] ?? nonce;
  return errorOf(answer) === 'use_dpop_nonce' ? attempt() : answer;
}

const errorOf = ({ body, status }) => (status === 200 ? null : JSON.parse(body).error);
const describeRefusal = ({ body }) => JSON.parse(body).error_description;

function assertAdmitted(answer, what) {
  assert.equal(answer.status, 200, `${what}: ${answer.body}`);
  assert.ok(answer.reached, what);
}

function assertRefused(answer, status, error, what) {
  assert.deepEqual([answer.status, errorOf(answer), answer.reached], [status, error, false], `${what}: ${answer.body}`);
}

/** Tries to connect with these options for TLS. Returns the version, or the code of the error. */
function handshake(options) {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port: ports.api, servername: 'localhost', ca: authority.cert, ...options });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.once('error', ({ code }) => resolve(code ?? 'error'));
  });
}

describe('5.2.1 and 5.2.2, network', () => {
  test('connections have TLS 1.2 or 1.3', async () => {
    assert.equal(await handshake({}), 'TLSv1.3');
    assert.equal(await handshake({ maxVersion: 'TLSv1.2' }), 'TLSv1.2');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    assert.equal(await handshake(old), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    await assert.rejects(fetch(`http://${LOOPBACK}:${ports.api}/accounts`));
  });

  test('of TLS 1.2 only the recommended cipher suites are permitted', async () => {
    const by = (ciphers) => handshake({ maxVersion: 'TLSv1.2', ciphers });
    for (const good of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']) {
      assert.equal(await by(good), 'TLSv1.2', good);
    }
    for (const bad of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA', 'ECDHE-ECDSA-CHACHA20-POLY1305']) {
      assert.match(await by(bad), /^(ERR_SSL|ECONNRESET|EPROTO)/, bad);
    }
  });
});

describe('5.3.4, resource servers', () => {
  test('a token in the header Authorization is accepted', async () => {
    assertAdmitted(await withCertificate(await token()), 'Bearer, with a certificate');
    assertAdmitted(await withProof(await token({ cnf: toKey() }), alice), 'DPoP');
  });

  test('a token in the query is not accepted', async () => {
    const good = await token();
    const path = `/accounts?access_token=${good}`;
    const query = await request({ certificate: clients.alice, path });
    assertRefused(query, 401, 'missing_token', 'query');
    assertRefused(await withCertificate(good, { path }), 400, 'invalid_request', 'header and query');
  });

  test('a token that is not valid is refused', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const [what, changes, header] of [
      ['another issuer', { iss: 'https://elsewhere.example' }],
      ['another audience', { aud: 'https://elsewhere.example' }],
      ['no expiration', { exp: undefined }],
      ['expired', { iat: now - 600, exp: now - 60 }],
      ['not yet valid', { nbf: now + 120 }],
      ['an ID token', {}, { typ: 'JWT' }],
    ]) {
      assertRefused(await withCertificate(await token(changes, header)), 401, 'invalid_token', what);
    }
  });

  test('a token that was changed is refused', async () => {
    const [header, payload, signature] = (await token()).split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url')), scope: 'accounts payments' };
    const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const answer = await withCertificate(`${header}.${changed}.${signature}`);
    assertRefused(answer, 401, 'invalid_token', 'changed');
    assert.equal(describeRefusal(answer), 'The signature of the access token is not valid');
  });

  test('a token that is revoked is refused', async () => {
    const good = await token();
    assertAdmitted(await withCertificate(good), 'before');
    server.revoke(good);
    for (let tries = 0; ; tries += 1) {
      const answer = await withCertificate(good);
      if (answer.status !== 200) {
        assertRefused(answer, 401, 'invalid_token', 'revoked');
        return;
      }
      assert.ok(tries < 1000, 'the revocation never counts');
    }
  });

  test('a token that does not suffice for the request is refused with insufficient_scope', async () => {
    const good = await token();
    const answer = await withCertificate(good, { path: '/payments', method: 'POST' });
    assertRefused(answer, 403, 'insufficient_scope', 'scope');
    assert.match(answer.headers['www-authenticate'], /^Bearer .*error="insufficient_scope".*scope="payments"/);
    assertAdmitted(
      await withCertificate(await token({ scope: 'payments' }), { path: '/payments', method: 'POST' }),
      'with the scope',
    );
    assertRefused(await withCertificate(good, { path: '/elsewhere' }), 401, 'missing_token', 'no rule');
  });

  test('a token is accepted from the sender that it is bound to, and from nobody else', async () => {
    const unbound = await token({ cnf: undefined });
    assertRefused(await withCertificate(unbound), 401, 'invalid_token', 'bound to nothing');
    const certificate = await token();
    for (const [what, other] of [['another certificate', clients.bob], ['no certificate', null]]) {
      assertRefused(await withCertificate(certificate, { certificate: other }), 401, 'invalid_token', what);
    }
    const key = await token({ cnf: toKey() });
    assertRefused(await withCertificate(key), 401, 'invalid_token', 'without a proof');
    assertRefused(await withProof(key, bob), 401, 'invalid_token', 'another key');
    assertRefused(await withProof(certificate, alice), 401, 'invalid_token', 'a proof instead of the certificate');
  });
});

describe('5.4, cryptography', () => {
  test('tokens may be signed with PS256, ES256 and EdDSA only', async () => {
    for (const alg of ['PS256', 'ES256', 'EdDSA']) {
      assertAdmitted(await withCertificate(await token({}, { alg })), alg);
    }
    assertRefused(await withCertificate(await token({}, { alg: 'RS256' })), 401, 'invalid_token', 'RS256');
    const [, payload] = (await token()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    for (const unsigned of [`${header}.${payload}.`, `${header}.${payload}.AAAA`]) {
      const answer = await withCertificate(unsigned);
      assert.ok([400, 401].includes(answer.status) && !answer.reached, answer.body);
    }
  });

  test('proofs may be signed with PS256, ES256 and EdDSA only', async () => {
    for (const alg of ['PS256', 'ES256', 'EdDSA', 'RS256']) {
      const prover = await makeProver(alg);
      const answer = await withProof(await token({ cnf: { jkt: prover.thumbprint } }), prover);
      if (alg === 'RS256') {
        assertRefused(answer, 401, 'invalid_dpop_proof', alg);
        assert.match(answer.headers['www-authenticate'], /algs="PS256 ES256 EdDSA Ed25519"/);
      } else {
        assertAdmitted(answer, alg);
      }
    }
  });
});

describe('5.3.2.1 and 6.2, clocks and replay', () => {
  test('clocks may differ by 10 seconds, and not by more than 60', async () => {
    const now = () => Math.floor(Date.now() / 1000);
    for (const name of ['iat', 'nbf']) {
      assertAdmitted(await withCertificate(await token({ [name]: now() + 9 })), name);
      const future = await token({ [name]: now() + 120 });
      assertRefused(await withCertificate(future), 401, 'invalid_token', name);
    }
  });

  test('a proof needs a nonce of the gate', async () => {
    const key = await token({ cnf: toKey() });
    const proof = (claims) => alice.prove('GET', `${api}/accounts`, key, claims);
    for (const claims of [{}, { nonce: 'AAAAAGVT8Oyc8amErp-dqsuiIXGTn25f' }]) {
      const answer = await request({ headers: { authorization: `DPoP ${key}`, dpop: await proof(claims) } });
      assertRefused(answer, 401, 'use_dpop_nonce', JSON.stringify(claims));
      assert.ok(answer.headers['dpop-nonce']);
    }
  });

  test('a proof is accepted once', async () => {
    const key = await token({ cnf: toKey() });
    const same = { jti: 'the same' };
    assertAdmitted(await withProof(key, alice, same), 'once');
    assertRefused(await withProof(key, alice, same), 401, 'invalid_dpop_proof', 'twice');
  });
});

test('docs/fapi.md names each of these tests, and no others', async () => {
  const page = await readFile(join(ROOT, 'docs/fapi.md'), 'utf8');
  const own = await readFile(import.meta.filename, 'utf8');
  const tests = [...own.matchAll(/^ {2}test\('([^']+)'/gm)].map(([, name]) => name);
  const cells = [...page.matchAll(/^\|.*\| ([^|]*) \|$/gm)].map(([, cell]) => cell);
  const named = cells.filter((cell) => !/^(test|none\b.*|–)$/.test(cell)).flatMap((cell) => cell.split('; '));
  assert.deepEqual([...new Set(named)].sort(), tests.sort());
});
