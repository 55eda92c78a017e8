// Listening on ports that may be taken.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { Failure, NOT_STARTED } from './failure.mjs';
import { listen, whyNot } from './listen.mjs';

test('a port that is taken is named, and nothing is said to have started', async (t) => {
  const first = createServer();
  const port = await listen(first, 0);
  t.after(() => first.close());
  assert.equal(await whyNot(port), 'is taken');
  await assert.rejects(listen(createServer(), port), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.message, `port ${port} is taken`);
    assert.equal(error.exitCode, NOT_STARTED);
    return true;
  });
});

test('a port is free again after its server is closed', async () => {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((resolve) => { server.close(resolve); });
  assert.equal(await whyNot(port), null);
});
