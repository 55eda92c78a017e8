// The rules of envoy/mcp.yaml relax what the last one demands only for messages that Envoy and the server read alike.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { startSetting } from './support/setting.mjs';
import { requestToken } from './support/token.mjs';

let setting;
let reader;
before(async () => {
  setting = await startSetting({ name: 'rules' });
  reader = await requestToken(setting.issuer, setting.url, 'mcp:read');
});
beforeEach(() => setting.forget());
after(() => setting?.stop());

/** More than `envoy.filters.http.mcp` reads by default, and more than envoy/mcp.yaml allows. */
const LONG = 'x'.repeat(9000);
const TOO_LONG = 'x'.repeat(1_100_000);

/** A JSON-RPC request; `members` is JSON text, because it may have a member twice. */
const message = (members) => `{"jsonrpc":"2.0","id":1,${members}}`;
const call = (params) => message(`"method":"tools/call","params":${params}`);

/** The status of a request with a token that has the scope `mcp:read` only. */
async function status(body, { method = 'POST', type = 'application/json' } = {}) {
  const response = await fetch(setting.url, {
    method,
    body,
    headers: {
      authorization: `Bearer ${reader}`,
      accept: 'application/json, text/event-stream',
      ...(body !== undefined && { 'content-type': type }),
    },
  });
  await response.text();
  return response.status;
}

describe('a token to read is enough for', () => {
  for (const [title, body, options] of [
    ['a tool that reads', call('{"name":"read_notes"}')],
    ['a tool that reads, with a charset', call('{"name":"read_notes"}'), { type: 'application/json; charset=utf-8' }],
    ['a tool that reads, named late', call(`{"arguments":{"a":"${LONG}"},"name":"read_notes"}`)],
    ['a list', message('"method":"tools/list"')],
  ]) {
    test(title, async () => {
      assert.equal(await status(body, options), 200);
      assert.equal(setting.requests.length, 1);
    });
  }

  for (const method of ['GET', 'DELETE']) {
    // The server has no sessions.
    test(`${method}, which has no message`, async () => assert.equal(await status(undefined, { method }), 405));
  }
});

describe('a token to read is not enough for', () => {
  for (const [title, expected, body, options] of [
    ['a tool that writes', 403, call('{"name":"write_note"}')],
    ['a tool that writes, named late', 403, call(`{"arguments":{"a":"${LONG}"},"name":"write_note"}`)],
    ['a method that no rule names', 403, message('"method":"logging/setLevel","params":{"level":"debug"}')],
    ['a tool that writes, named last', 400, call('{"name":"read_notes","name":"write_note"}')],
    ['a tool that writes, named first', 400, call('{"name":"write_note","name":"read_notes"}')],
    ['a tool that writes, named with an escape', 400, call('{"name":"read_notes","n\\u0061me":"write_note"}')],
    ['a tool that writes, named last and late', 400, call(
      `{"name":"read_notes","arguments":{"a":"${LONG}"},"name":"write_note"}`,
    )],
    ['a tool that writes, named last and too late', 413, call(
      `{"name":"read_notes","arguments":{"a":"${TOO_LONG}"},"name":"write_note"}`,
    )],
    ['a tool that writes, in a second `params`', 400, message(
      '"method":"tools/call","params":{"name":"read_notes"},"params":{"name":"write_note"}',
    )],
    ['a tool that writes, with a method that comes too late', 413, message(
      `"method":"tools/list","params":{"name":"write_note"},"a":"${TOO_LONG}","method":"tools/call"`,
    )],
    ['a batch', 400, `[${call('{"name":"read_notes"}')}]`],
    ['a second message after the first', 400, call('{"name":"read_notes"}') + call('{"name":"write_note"}')],
    ['another content type', 400, call('{"name":"read_notes"}'), { type: 'text/plain' }],
    ['something else than JSON', 400, 'hello'],
  ]) {
    test(title, async () => {
      assert.equal(await status(body, options), expected);
      assert.deepEqual(setting.requests, []);
    });
  }
});
