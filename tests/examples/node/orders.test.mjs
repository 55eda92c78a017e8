// What the gate does with requests for orders. Only the API and the keys are not the real ones: node --test

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startGate } from './gate.mjs';

let gate;

before(async () => {
  gate = await startGate({
    policy: fileURLToPath(new URL('policy.json', import.meta.url)),
    clients: {
      reader: { sub: 'alice', scope: 'orders:read' },
      writer: { sub: 'bob', scope: 'orders:read orders:write' },
    },
  });
});
after(() => gate?.stop());
// Without the reason of a refusal, a test that fails is hard to understand.
afterEach(async (context) => {
  if (!context.passed && gate) {
    (await gate.log()).split('\n').forEach((line) => context.diagnostic(line));
  }
});

test('health needs no token', async () => {
  assert.equal((await gate.send('GET', '/health')).status, 200);
});

test('without a token nobody reads', async () => {
  const { status, body } = await gate.send('GET', '/orders');
  assert.equal(status, 401);
  assert.equal(body.error, 'missing_token');
});

test('a reader reads, and the API learns who it is', async () => {
  const { status, body } = await gate.send('GET', '/orders/1', { client: 'reader' });
  assert.equal(status, 200);
  assert.equal(body.headers['x-user'], 'alice');
  assert.equal(body.headers.authorization, undefined);
});

test('without a token nobody says who they are', async () => {
  const { body } = await gate.send('GET', '/health', { headers: { 'x-user': 'root' } });
  assert.equal(body.headers['x-user'], undefined);
});

for (const kind of ['expired', 'wrong-audience', 'wrong-issuer', 'wrong-signature', 'unsigned']) {
  test(`a token is refused that is ${kind}`, async () => {
    const { status, headers } = await gate.send('GET', '/orders', { client: 'reader', kind });
    assert.equal(status, 401);
    assert.match(headers.get('www-authenticate'), /error="invalid_token"/);
  });
}

test('a reader may not write', async () => {
  const { status, headers } = await gate.send('POST', '/orders', { client: 'reader' });
  assert.equal(status, 403);
  assert.match(headers.get('www-authenticate'), /scope="orders:write"/);
});

test('a writer writes', async () => {
  assert.equal((await gate.send('POST', '/orders', { client: 'writer' })).status, 200);
});

test('what no rule names is refused', async () => {
  assert.equal((await gate.send('GET', '/internal', { client: 'writer' })).status, 401);
});
