// The table of verdicts: gates by their configuration, requests to them, and the answers.

import {
  ALGORITHM_NAMES, AUDIENCE, FAR_FUTURE, ISSUER, KIDS, LONG_AGO, UNPUBLISHED, crossed, keySet, publicPem,
  token,
} from './keys.mjs';

const HOST = 'api.example';

/** A request, and what is to come of it. */
function request(name, { method = 'GET', target = '/orders', headers = [] }, expected) {
  const all = [['host', HOST], ...headers];
  return { name, method, target, headers: all, expected };
}

const bearer = (value) => ({ headers: [['authorization', `Bearer ${value}`]] });

/** The upstream gets the request with this target; `null` stands for a header that it must not get. */
function admitted({ target = '/orders', headers = { authorization: null } } = {}) {
  return { status: 200, upstream: { target, headers } };
}

/** The answer to a refused request. A challenge without `error` has no description either. */
function refused(status, error, description, { challenge = true, more = '' } = {}) {
  const parameters = error === 'missing_token' || error === 'access_denied'
    ? ''
    : `, error="${error}", error_description="${description}"`;
  const headers = { 'cache-control': 'no-store', 'content-type': 'application/json' };
  if (challenge) {
    headers['www-authenticate'] = `Bearer realm="${HOST}"${parameters}${more}`;
  }
  const body = JSON.stringify({ error, error_description: description });
  return { status, headers, body };
}

const invalid = (description) => refused(401, 'invalid_token', description);
const badRequest = (description) => refused(400, 'invalid_request', description);
/** `Retry-After` is left out, since it depends on the time. */
const unavailable = (description) => (
  refused(503, 'temporarily_unavailable', description, { challenge: false })
);

const MISSING = refused(401, 'missing_token', 'The request carries no access token');
const NO_RULE = refused(401, 'missing_token', 'No rule allows this request');
const MALFORMED = invalid('The access token is malformed');
const NO_BEARER = badRequest('The credential is not a well-formed bearer token');
const SEVERAL = badRequest('The request carries more than one credential');
const SIGNATURE = invalid('The signature of the access token is not valid');
const UNKNOWN_KEY = invalid('The access token is signed with an unknown key');
const ALGORITHM = invalid('The access token is signed with an algorithm that is not accepted');
const EXPIRED = invalid('The access token expired');
const ISSUED_BY_ANOTHER = invalid('The access token comes from another issuer');
const FOR_ANOTHER = invalid('The access token is meant for another audience');
const NO_KEYS = unavailable('The keys of the issuer cannot be had at the moment');

const provider = (fields = {}) => ({ issuer: ISSUER, audiences: [AUDIENCE], ...fields });
const local = (fields = {}, kids = undefined) => (
  provider({ local_jwks: { inline_string: keySet(kids) }, ...fields })
);
const uri = (path, cluster, timeout = '60s') => (
  { http_uri: { uri: `http://issuer.example/${path}`, cluster, timeout } }
);
/** Requests wait as long for a server that fails and may recover. */
const SHORT = '1s';
const remote = (fields = {}) => provider({ remote_jwks: uri('jwks', 'issuer'), ...fields });

/** A gate with one provider, and no rules unless `fields` has some. */
function gate(name, cloud, requests, { servers = {}, fields = {} } = {}) {
  return { name, configuration: { providers: { cloud }, ...fields }, servers, requests };
}

/** What a server answers to every request. */
const server = (status, body) => ({ status, body });

const signatures = () => gate(
  'every algorithm',
  local({ algorithms: ALGORITHM_NAMES }, KIDS),
  ALGORITHM_NAMES.flatMap((alg) => {
    const good = token({ alg });
    const other = token({ alg, claims: { sub: 'another' } });
    return [
      request(`${alg}: a good token`, bearer(good), admitted()),
      request(`${alg}: the signature of another token`, bearer(crossed(other, good)), SIGNATURE),
    ];
  }),
);

function claims() {
  const changed = (name, changes, expected) => request(name, bearer(token(changes)), expected);
  const claim = (name, value, expected, what) => (
    changed(what ?? `${name}: ${JSON.stringify(value)}`, { claims: { [name]: value } }, expected)
  );
  const header = (name, value, expected) => (
    changed(`${name}: ${JSON.stringify(value)}`, { header: { [name]: value } }, expected)
  );
  return gate('claims and header', local(), [
    claim('iss', 'https://evil.example', ISSUED_BY_ANOTHER),
    claim('iss', `${ISSUER}/`, ISSUED_BY_ANOTHER),
    claim('iss', undefined, ISSUED_BY_ANOTHER, 'no iss'),
    claim('aud', 'https://other.example', FOR_ANOTHER),
    claim('aud', `${AUDIENCE}/`, FOR_ANOTHER),
    claim('aud', undefined, FOR_ANOTHER, 'no aud'),
    claim('aud', ['https://other.example', AUDIENCE], admitted()),
    claim('exp', LONG_AGO + 3600, EXPIRED),
    claim('exp', 0, EXPIRED),
    claim('exp', undefined, invalid('The access token has no expiration time'), 'no exp'),
    claim('exp', 'tomorrow', invalid('A claim of the access token has a value of the wrong type')),
    claim('nbf', FAR_FUTURE - 3600, invalid('The access token is not valid yet')),
    claim('iat', FAR_FUTURE - 3600, invalid('The access token was issued in the future')),
    claim('cnf', { kid: 'x' }, invalid('The access token is bound to a sender that was not proven')),
    claim('cnf', { jkt: 'x' }, invalid('A claim of the access token has a value of the wrong type')),
    header('typ', 'JWT', admitted()),
    header('typ', 'dpop+jwt', invalid('The token is not an access token')),
    header('crit', ['exp'], invalid('The access token demands an extension that is not supported')),
    header('alg', 'none', ALGORITHM),
    header('alg', 'HS256', ALGORITHM),
    header('kid', 'nobody', UNKNOWN_KEY),
    header('kid', 'p256', UNKNOWN_KEY),
    changed('the public key as the secret of an HMAC', {
      alg: 'HS256', key: publicPem(), header: { kid: 'rsa' },
    }, ALGORITHM),
    changed('a key that is not published', { key: UNPUBLISHED }, SIGNATURE),
    request('a large token', bearer('a'.repeat(16_385)), invalid('The access token is too large')),
  ]);
}

function credentials() {
  const good = token();
  const [header, payload] = good.split('.');
  const authorization = (value) => ({ headers: [['authorization', value]] });
  const twice = (first, second) => (
    { headers: [['authorization', first], ['authorization', second]] }
  );
  return gate('credentials', local(), [
    request('no token', {}, MISSING),
    request('Basic', authorization('Basic dTpw'), MISSING),
    request('a token in the query alone', { target: `/orders?access_token=${good}` }, MISSING),
    request('a scheme in capitals', authorization(`BEARER ${good}`), admitted()),
    request('a scheme alone', authorization('Bearer'), NO_BEARER),
    request('two tokens in one header', authorization(`Bearer ${good} ${good}`), NO_BEARER),
    request('two tokens in two headers', twice(`Bearer ${good}`, `Bearer ${good}`), SEVERAL),
    request('Bearer and Basic', twice(`Bearer ${good}`, 'Basic dTpw'), SEVERAL),
    request('tokens in header and query', {
      ...bearer(good), target: `/orders?access_token=${good}`,
    }, SEVERAL),
    request('three parts that are no JSON', bearer('a.b.c'), MALFORMED),
    request('no signature', bearer(`${header}.${payload}.`), MALFORMED),
    request('two parts', bearer(`${header}.${payload}`), MALFORMED),
    request('four parts', bearer(`${good}.x`), MALFORMED),
    request('padding', bearer(`${good}=`), MALFORMED),
    request('an opaque token', bearer('2YotnFZFEjr1zCsicMWpAA'), MALFORMED),
  ]);
}

const places = () => gate(
  'other places',
  local({
    from_headers: [{ name: 'x-token', value_prefix: 'jwt ' }],
    from_params: ['token'],
    from_cookies: ['session'],
    claim_to_headers: [{ header_name: 'x-user', claim_name: 'sub' }],
  }),
  [
    request('a header', { headers: [['x-token', `jwt ${token()}`]] }, admitted({
      headers: { 'x-token': null, 'x-user': 'somebody' },
    })),
    request('a query parameter', { target: `/orders?a=%41&token=${token()}&b=2` }, admitted({
      target: '/orders?a=%41&b=2',
    })),
    request('a cookie', { headers: [['cookie', `a=1; session=${token()}; b=2`]] }, admitted({
      headers: { cookie: 'a=1; b=2' },
    })),
    request('a header that only the gate sets', {
      headers: [['x-token', `jwt ${token()}`], ['x-user', 'root'], ['x_user', 'root']],
    }, admitted({ headers: { 'x-user': 'somebody', x_user: null } })),
    request('nowhere', { headers: [['x-user', 'root']] }, MISSING),
  ],
);

const rules = () => gate(
  'rules',
  local(),
  [
    request('an open path', { target: '/health' }, admitted({ target: '/health' })),
    request('an open path with a query', { target: '/health?full' }, admitted({ target: '/health?full' })),
    request('a closed path', { target: '/api/x' }, MISSING),
    request('an ambiguous path', { target: '/open/%2e%2e/api/x' }, MISSING),
    request('a path without a rule', { target: '/x', ...bearer(token()) }, NO_RULE),
    request('a good token', { target: '/api/x', ...bearer(token()) }, admitted({ target: '/api/x' })),
    request('a token with the scopes', {
      target: '/orders/7', ...bearer(token({ claims: { scope: 'write read' } })),
    }, admitted({ target: '/orders/7' })),
    request('a token without a scope', {
      target: '/orders/7', ...bearer(token({ claims: { scope: 'read' } })),
    }, refused(
      403,
      'insufficient_scope',
      'The access token lacks a scope that is needed here',
      { more: ', scope="read write"' },
    )),
    request('a token with the claim', {
      target: '/admin', ...bearer(token({ claims: { role: 'admin' } })),
    }, admitted({ target: '/admin' })),
    request('a token without the claim', { target: '/admin', ...bearer(token()) }, refused(
      403,
      'access_denied',
      'The access token does not give access to this resource',
    )),
    request('a preflight', {
      method: 'OPTIONS',
      target: '/api/x',
      headers: [['origin', 'https://console.example'], ['access-control-request-method', 'GET']],
    }, admitted({ target: '/api/x' })),
    request('OPTIONS without Origin', { method: 'OPTIONS', target: '/api/x' }, MISSING),
  ],
  {
    fields: {
      bypass_cors_preflight: true,
      rules: [
        { match: { path: '/health' } },
        { match: { prefix: '/open/' } },
        { match: { prefix: '/orders/' }, requires: { provider_name: 'cloud', scopes: ['read', 'write'] } },
        {
          match: { path: '/admin' },
          requires: { provider_name: 'cloud', claims: [{ claim_name: 'role', exact: 'admin' }] },
        },
        { match: { safe_regex: { regex: '/(api|open)/.*' } }, requires: { provider_name: 'cloud' } },
      ],
    },
  },
);

const fetchedKeys = () => gate(
  'keys from a server',
  remote(),
  [
    request('a good token', bearer(token({ alg: 'ES256' })), admitted()),
    request('the signature of another token', bearer(crossed(
      token({ alg: 'ES256', claims: { sub: 'another' } }),
      token({ alg: 'ES256' }),
    )), SIGNATURE),
    request('a key that is not there', bearer(token({ alg: 'ES384' })), UNKNOWN_KEY),
    request('an expired token', bearer(token({ claims: { exp: LONG_AGO + 1 } })), EXPIRED),
    request('no token', {}, MISSING),
  ],
  { servers: { issuer: server(200, keySet(['rsa', 'p256'])) } },
);

const noKeys = (name, answer) => gate(
  name,
  provider({ remote_jwks: uri('jwks', 'issuer', SHORT) }),
  [
    request('a good token', bearer(token()), NO_KEYS),
    request('a token of another issuer', bearer(token({ claims: { iss: 'https://evil.example' } })), ISSUED_BY_ANOTHER),
    request('no token', {}, MISSING),
  ],
  { servers: { issuer: answer } },
);

const revocation = () => gate(
  'a revocation list',
  local({ revocation: { ...uri('revoked', 'lists'), refresh_interval: '600s' } }),
  [
    request('another token', bearer(token({ claims: { jti: 'two' } })), admitted()),
    request('a revoked token', bearer(token({ claims: { jti: 'one' } })), invalid('The access token has been revoked')),
    request('a token of a revoked client', bearer(token({ claims: { client_id: 'app' } })), invalid('The access token has been revoked')),
  ],
  { servers: { lists: server(200, JSON.stringify({ tokens: ['one'], clients: { app: FAR_FUTURE } })) } },
);

const noList = () => gate(
  'no revocation list',
  local({ revocation: uri('revoked', 'lists', SHORT) }),
  [
    request('a good token', bearer(token()), unavailable(
      'It cannot be told at the moment which access tokens are revoked',
    )),
  ],
  { servers: { lists: server(500, '') } },
);

const introspection = (name, answer, opaque) => gate(
  `introspection: ${name}`,
  local({ introspection: { ...uri('introspect', 'endpoint'), client_id: 'gate', client_secret_environment_variable: 'GATE_SECRET' } }),
  [
    request('an opaque token', bearer('2YotnFZFEjr1zCsicMWpAA'), opaque),
    request('a JWT', bearer(token()), admitted()),
  ],
  { servers: { endpoint: answer } },
);

const active = (fields) => server(200, JSON.stringify({
  active: true, iss: ISSUER, aud: AUDIENCE, sub: 'somebody', exp: FAR_FUTURE, ...fields,
}));

/** All gates of the table. */
export function gates() {
  return [
    signatures(),
    claims(),
    credentials(),
    places(),
    rules(),
    fetchedKeys(),
    noKeys('a key server that fails', server(500, '')),
    noKeys('a key server that answers with a page', server(200, '<html></html>')),
    noKeys('an empty key set', server(200, '{"keys":[]}')),
    revocation(),
    noList(),
    introspection('active', active(), admitted()),
    introspection('for another audience', active({ aud: 'https://other.example' }), FOR_ANOTHER),
    introspection('inactive', server(200, '{"active":false}'), invalid('The access token is not active')),
    introspection('a failing endpoint', server(500, ''), unavailable(
      'It cannot be told at the moment whether the access token is active',
    )),
  ];
}
