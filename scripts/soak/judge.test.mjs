// What the judge accepts around an event, and that it accepts nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { wallClock } from './clock.mjs';
import { AUDIENCE, AUDIENCES, PATHS } from './configuration.mjs';
import { Judge } from './judge.mjs';
import { GONE } from './published-document.mjs';

const token = {
  kid: 'new', jti: 'token', audience: AUDIENCE, isSigned: true, hasScope: true, exp: wallClock() + 300,
};

/** The possible answers, sorted, if workers may use these documents and these additional audiences. */
function possible(changes, {
  keys = [new Set(['new'])], list = [new Set()], audiences = [AUDIENCES[0]], path = PATHS.jwt,
} = {}) {
  const document = (contents) => ({ possible: () => new Set(contents) });
  const judge = new Judge({
    documents: { keys: document(keys), list: document(list) },
    configuration: { possible: () => new Set(audiences) },
  });
  return [...judge.possible({ ...token, ...changes }, path, 10, 10.1)].sort();
}

test('outside of all events exactly one answer is right', () => {
  const cases = [
    [{}, {}, 'admitted'],
    [{ kid: 'old' }, {}, 'unknown_key'],
    [{ isSigned: false }, {}, 'signature'],
    [{}, { list: [new Set(['token'])] }, 'revoked'],
    [{ hasScope: false }, { path: PATHS.scope }, 'scope'],
    [{ hasScope: false }, {}, 'admitted'],
    [{ exp: wallClock() - 300 }, {}, 'expired'],
    [{ audience: AUDIENCES[0] }, {}, 'admitted'],
    [{ audience: AUDIENCES[1] }, {}, 'audience'],
    [{}, { keys: [GONE] }, 'keys_unavailable'],
    [{}, { list: [GONE] }, 'revocation_unavailable'],
  ];
  for (const [changes, state, answer] of cases) {
    assert.deepEqual(possible(changes, state), [answer], JSON.stringify(changes));
  }
});

test('around an event the answers before and after it are right', () => {
  const rotation = { keys: [new Set(['old']), new Set(['new'])] };
  assert.deepEqual(possible({}, rotation), ['admitted', 'unknown_key']);
  assert.deepEqual(possible({ kid: 'old' }, rotation), ['admitted', 'unknown_key']);
  assert.deepEqual(possible({ kid: 'other' }, rotation), ['unknown_key']);
  assert.deepEqual(possible({}, { list: [new Set(), new Set(['token'])] }), ['admitted', 'revoked']);
  assert.deepEqual(possible({ audience: AUDIENCES[1] }, { audiences: AUDIENCES }), ['admitted', 'audience']);
  assert.deepEqual(possible({ exp: wallClock() - 1 }), ['admitted', 'expired']);
});
