// What a module is taken through to see which way its branches go: requests as APIs get them, good
// ones and bad ones, with configurations as operators have them.

import { Host } from './host.mjs';
import { AUDIENCE, ISSUER, KEY_SET, Tokens } from './tokens.mjs';

/** How often each kind of request comes. */
const TURNS = 100;
const SEEN_PER_TURN = 4;
const REVOKED = 'revoked';

/** One issuer, whose keys are in the configuration. */
const PLAIN = {
  providers: {
    cloud: { issuer: ISSUER, audiences: [AUDIENCE], local_jwks: { inline_string: KEY_SET } },
  },
  rules: [{ match: { prefix: '/' }, requires: { provider_name: 'cloud' } }],
};

/** Several issuers, whose keys are fetched, and upstreams that are told of claims. */
const RICH = {
  providers: {
    partner: { issuer: 'https://partner.example', remote_jwks: { http_uri: uri('/keys') } },
    cloud: {
      issuer: ISSUER,
      audiences: [AUDIENCE, 'account'],
      remote_jwks: { http_uri: uri('/keys'), cache_duration: '600s' },
      revocation: { http_uri: uri('/revoked') },
      forward_payload_header: 'x-jwt-payload',
      claim_to_headers: [{ header_name: 'x-user', claim_name: 'sub' }],
    },
  },
  bypass_cors_preflight: true,
  rules: [
    { match: { path: '/health' } },
    {
      match: { prefix: '/orders/' },
      requires: { provider_name: 'cloud', scopes: ['orders:read'] },
    },
    {
      match: { prefix: '/' },
      requires: { requires_any: { requirements: [{ provider_name: 'partner' }, { provider_name: 'cloud' }] } },
    },
  ],
};

/**
 * Takes a module with counters through all of it, and answers with how often its branches went which
 * way: pairs, not taken and taken. Throws an `Error` where the module decides a request otherwise than
 * it should.
 */
export function rehearse(bytes, { base, branches }) {
  const module = new WebAssembly.Module(bytes);
  const counts = new Array(2 * branches).fill(0);
  for (const configuration of [PLAIN, RICH]) {
    const tokens = new Tokens();
    const host = new Host(module, configuration, {
      answers: (path) => Buffer.from(path === '/keys' ? KEY_SET : JSON.stringify({ tokens: [REVOKED] })),
      isGood: (text) => tokens.isSigned(text),
    });
    // It starts once, and what that takes has no part in how requests fare.
    host.numbers(base, counts.length).fill(0);
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const request of requests(configuration, tokens, host.now)) {
        const found = host.request(headers(turn, request));
        if (found !== request.status) {
          throw new Error(`${request.what}: the module answers ${found} and not ${request.status}`);
        }
      }
    }
    host.numbers(base, counts.length).forEach((count, index) => {
      counts[index] += count;
    });
  }
  return counts;
}

/** The requests of one turn. */
function requests(configuration, tokens, now) {
  const path = '/orders/1?page=2';
  const bearer = (what, token, status, where = path) => ({
    what, path: where, authorization: `Bearer ${token}`, status,
  });
  const good = ['RS256', 'ES256'].flatMap((alg) => {
    const token = tokens.good(alg, now);
    return [
      bearer(`a new ${alg} token`, token, 200),
      ...Array(SEEN_PER_TURN / 2).fill(bearer('a token seen before', token, 200)),
    ];
  });
  const bad = [
    { what: 'no token', path, status: 401 },
    bearer('garbage', 'garbage', 401),
    bearer('an expired token', tokens.good('RS256', now, { exp: now - 3600 }), 401),
    bearer('a token of another issuer', tokens.good('RS256', now, { iss: 'https://evil.example' }), 401),
    bearer('a token with a key that nobody knows', tokens.unsigned('RS256', now, {}, 'other'), 401),
    bearer('a token with a bad signature', tokens.unsigned('RS256', now), 401),
  ];
  return configuration === PLAIN ? [...good, ...bad] : [
    ...good,
    bearer('a token for another rule', tokens.good('RS256', now), 200, '/profile'),
    { what: 'a request that needs no token', path: '/health', status: 200 },
    { what: 'a preflight', path, status: 200, preflightOf: 'DELETE' },
    bearer('a revoked token', tokens.good('RS256', now, { jti: REVOKED }), 401),
    bearer('a token without the scope', tokens.good('RS256', now, { scope: 'email' }), 403),
    ...bad,
  ];
}

/** The headers of a request, from code or from a browser. */
function headers(turn, { path, authorization, preflightOf }) {
  const fromBrowser = turn % 2 === 1 || preflightOf !== undefined;
  return [
    [':authority', 'api.example'],
    [':path', path],
    [':method', preflightOf === undefined ? 'GET' : 'OPTIONS'],
    [':scheme', 'https'],
    ['user-agent', fromBrowser ? 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/144.0' : 'curl/8.16.0'],
    ['accept', fromBrowser ? 'application/json, text/plain, */*' : '*/*'],
    ...(fromBrowser
      ? [
        ['accept-language', 'en-US,en;q=0.9'],
        ['accept-encoding', 'gzip, deflate, br'],
        ['origin', 'https://console.example'],
        ['referer', 'https://console.example/'],
        ['sec-fetch-dest', 'empty'],
        ['sec-fetch-mode', 'cors'],
        ['sec-fetch-site', 'same-site'],
      ]
      : []),
    ...(preflightOf === undefined ? [] : [['access-control-request-method', preflightOf]]),
    ...(authorization === undefined ? [] : [['authorization', authorization]]),
    ['x-forwarded-proto', 'https'],
    ['x-request-id', '5b6a1a3e-7c0f-4f62-9d0c-0d8a3c7f8f11'],
  ];
}

function uri(path) {
  return { uri: `https://issuer.example${path}`, cluster: 'issuer', timeout: '2s' };
}
