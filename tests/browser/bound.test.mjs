// A bound token in the console: it passes with proofs by its key, and a thief is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { claims, execute, press } from './page.mjs';
import { open } from './setting.mjs';

test('a thief cannot use a bound token, and its client can', async (t) => {
  const page = await open(t);
  const choice = page.getByLabel('Send the call');
  const ways = () => choice.locator('option').evaluateAll((all) => all.map(({ value }) => value));
  await press(page, 'Generate keys');
  assert.ok(!(await ways()).some((way) => way.startsWith('stolen')), 'a bearer token can be used by a thief');

  await press(page, 'Bound token');
  assert.match((await claims(page)).cnf.jkt, /^[\w-]{43}$/);
  assert.match(await page.locator('#authorization').textContent(), / DPoP /);
  for (const expected of ['200', '200']) {
    assert.match((await execute(page)).status, new RegExp(`^${expected}`));
  }
  for (const [way, reason, error] of [
    ['stolen-token', 'downgrade', 'invalid_token'],
    ['stolen-request', 'proof_replay', 'invalid_dpop_proof'],
    ['other-key', 'proof_binding', 'invalid_token'],
  ]) {
    await choice.selectOption(way);
    const answer = await execute(page);
    assert.match(answer.status, /^401/, way);
    assert.equal(answer.reason, reason);
    assert.equal(answer.challenge.error, error);
  }
  await choice.selectOption('normal');
  assert.match((await execute(page)).status, /^200/);

  // With another token there is nothing to steal.
  await choice.selectOption('stolen-token');
  await press(page, 'Generate token');
  assert.equal(await choice.inputValue(), 'normal');
});
