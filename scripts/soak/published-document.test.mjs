// What the judge takes for possible while versions of a document come and go.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LOOPBACK } from '../../tools/listen.mjs';
import { now } from './clock.mjs';
import { ADOPTED_WITHIN, KEYS, SLACK } from './promises.mjs';
import { GONE, PublishedDocument } from './published-document.mjs';

test('a version is possible from its fetch until the next one is adopted, or it is too old', async () => {
  const document = new PublishedDocument(KEYS);
  const port = await document.server.listen();
  const fetched = () => fetch(`http://${LOOPBACK}:${port}/`).then((response) => response.text());
  try {
    document.publish({ content: 'first', body: '{}' });
    const before = now();
    assert.deepEqual([...document.possible(0, before)], []);
    await fetched();
    assert.deepEqual([...document.possible(now(), now() + 1)], ['first']);
    document.publish({ content: 'second', body: '{}' });
    assert.deepEqual([...document.possible(now(), now() + 1)], ['first']);
    await fetched();
    const after = now();
    const possible = (from, to) => [...document.possible(from, to)];
    assert.deepEqual(possible(after, after + 1), ['first', 'second']);
    const adopted = after + ADOPTED_WITHIN;
    assert.deepEqual(possible(adopted, adopted + 1), ['second']);
    const stale = after + KEYS.maxStale;
    assert.deepEqual(possible(stale - 1, stale), ['second', GONE]);
    assert.deepEqual(possible(stale + SLACK, stale + SLACK + 1), [GONE]);
  } finally {
    await document.server.stop();
  }
});

test('a fetch that fails changes nothing', async () => {
  const document = new PublishedDocument(KEYS);
  const port = await document.server.listen();
  try {
    document.publish({ content: 'first', body: '{}' });
    document.server.fail('error');
    const { status } = await fetch(`http://${LOOPBACK}:${port}/`);
    assert.equal(status, 500);
    assert.deepEqual([...document.possible(0, now() + 1)], []);
    assert.equal(document.server.failed, 1);
  } finally {
    await document.server.stop();
  }
});
