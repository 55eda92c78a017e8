// Tokens by hand.

import assert from 'node:assert/strict';

import { CLIENT } from './authorization-server.mjs';

/** An access token of the tests' client for `resource`. */
export async function requestToken(issuer, resource, scope) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).access_token;
}
