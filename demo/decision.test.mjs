// What the console reads in answers.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { metadataUrl, parseChallenges, scopes } from './console/challenge.mjs';
import { checklist, read } from './console/decision.mjs';

const reasons = JSON.parse(await readFile(new URL('./console/reasons.json', import.meta.url), 'utf8'));

/** An answer with these headers and this body. */
const answer = (status, headers, body) => ({
  status, headers: new Headers(headers), text: typeof body === 'string' ? body : JSON.stringify(body),
});

/** The answer of the gate for a reason whose status is 401. */
const refusal = ({ description }) => answer(401, {
  'www-authenticate': `Bearer realm="a", error="invalid_token", error_description="${description}"`,
}, { error: 'invalid_token', error_description: description });

test('every reason is recognized, and marks one check as failed', () => {
  for (const [code, reason] of Object.entries(reasons)) {
    const result = read(refusal(reason), reasons);
    assert.deepEqual([result.by, result.code, result.admitted], ['gate', code, false]);
    const failed = checklist(result, { opaque: false, status: 401 })
      .filter(({ outcome }) => outcome === 'failed');
    assert.deepEqual(failed, [{ step: reason.step, outcome: 'failed' }], code);
  }
});

test('a refusal names its rule, and what the API answers names none', () => {
  const { status, text, headers } = refusal(reasons.expired);
  headers.set('x-gate-rule', 'rules[2]');
  assert.equal(read({ status, text, headers }, reasons).rule, 'rules[2]');
  assert.equal(read(refusal(reasons.expired), reasons).rule, null);
  headers.set('x-envoy-upstream-service-time', '3');
  assert.equal(read({ status, text, headers }, reasons).rule, null);
});

test('a check that a server is missing for is unknown and not failed', () => {
  const body = { error: 'temporarily_unavailable', error_description: reasons.keys_unavailable.description };
  const result = read(answer(503, { 'retry-after': '5' }, body), reasons);
  assert.equal(result.code, 'keys_unavailable');
  const outcomes = Object.fromEntries(checklist(result, { opaque: false, status: 503 })
    .map(({ step, outcome }) => [step, outcome]));
  assert.deepEqual(outcomes, {
    token: 'passed', issuer: 'passed', audience: 'passed', time: 'passed', signature: 'unknown',
    revocation: 'skipped', permission: 'skipped',
  });
});

test('a refusal with a reason that the table lacks is still one of the gate', () => {
  const result = read(refusal({ description: 'The token is blue' }), reasons);
  assert.deepEqual([result.by, result.code, result.admitted], ['gate', null, false]);
  assert.equal(checklist(result, { opaque: false, status: 401 }), null);
});

test('what the API answers is never taken for an answer of the gate', () => {
  const said = { error: 'invalid_token', error_description: reasons.expired.description };
  const result = read(answer(401, { 'x-envoy-upstream-service-time': '3' }, said), reasons);
  assert.deepEqual([result.by, result.code, result.admitted], ['api', null, true]);
});

test('what Envoy answers is told apart by whether the call has passed the gate', () => {
  for (const [status, text, admitted] of [
    [504, 'upstream request timeout', true],
    [503, 'no healthy upstream', true],
    [503, 'upstream connect error or disconnect/reset before headers. reset reason: remote', true],
    [503, '', null],
    [400, '', null],
    [404, '', null],
  ]) {
    const result = read(answer(status, {}, text), reasons);
    assert.deepEqual([result.by, result.admitted], ['envoy', admitted], `${status} ${text}`);
  }
});

test('the challenges of several schemes are told apart, whatever their values contain', () => {
  const challenges = parseChallenges('Bearer realm="a, DPoP b=\\"c\\"", scope="x y", '
    + 'resource_metadata="https://a.example/r", DPoP algs="ES256", error="use_dpop_nonce"');
  assert.deepEqual(challenges.map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]), [
    ['Bearer', {
      realm: 'a, DPoP b="c"', scope: 'x y', resource_metadata: 'https://a.example/r',
    }],
    ['DPoP', { algs: 'ES256', error: 'use_dpop_nonce' }],
  ]);
  assert.deepEqual(scopes(challenges), ['x', 'y']);
  assert.equal(metadataUrl(challenges), 'https://a.example/r');
  assert.deepEqual(parseChallenges('Basic realm="a"'), []);
  assert.deepEqual(parseChallenges(null), []);
  assert.equal(metadataUrl(parseChallenges('Bearer resource_metadata="javascript:alert(1)"')), null);
});
