// Proofs, good ones and mutations of everything that is checked, and where the verdicts of the gate and of
// `oidc-provider` differ.

import { hmacWithPublicKey, makeKey, makeProof, tokenHash } from './proof.mjs';

const now = () => Math.floor(Date.now() / 1000);

const difference = (only, reason) => ({ only, reason });

/** Why the verdicts on a proof differ: who alone accepts it, `server` or `gate`, and the reason. */
export const DIFFERENCES = {
  TYP: difference(
    'server', '`typ` is compared as it stands (RFC 9449, section 4.2), and not like a media type, without case and prefix',
  ),
  EXTENSION: difference('server', 'its header has `b64` or `zip`, which ask to read it in another way'),
  REPEATED: difference('server', 'a name occurs twice in its JSON, of which others may read the other value'),
  BYTE_ORDER_MARK: difference('server', 'its JSON begins with a byte order mark, which RFC 8259, section 8.1, forbids'),
  CANONICAL: difference('server', 'unused bits of its base64url are set, and only the canonical encoding is accepted'),
  WINDOW: difference(
    'server', '`iat` may be 120 s back and 60 s ahead (`max_age`, `clock_skew`), and not 300 s in both directions',
  ),
  LENIENT_URL: difference(
    'server', '`htu` must be a URI of RFC 3986, and not a text that the URL Standard makes a URL of, as browsers do',
  ),
  NONCE: difference(
    'gate', 'a nonce that the gate has not asked for may come from another server at the same origin, and is ignored',
  ),
  PERCENT: difference(
    'gate', '`htu` encodes a letter, and the normal form of RFC 3986, section 6.2.2.2, decodes it',
  ),
};

/** A case: its name, the change of a good proof, and the name of the listed difference, if there is one. */
const change = (name, changes, difference) => ({ name, changes, difference });

const keysOf = (...algorithms) => algorithms.map((alg) => ({
  name: `a good proof with ${alg}`, alg, changes: {},
}));

function headers(key, other) {
  const header = (name, value, difference) => change(
    `header ${name} ${value === undefined ? 'left out' : JSON.stringify(value)}`, { header: { [name]: value } }, difference,
  );
  return [
    ...['JWT', 'jwt', 'at+jwt', 'dpop', 'dpop+JWS', '', 'dpop+jwt ', 7, null, ['dpop+jwt'], undefined].map(
      (value) => header('typ', value),
    ),
    ...['DPOP+JWT', 'dpop+JWT', 'application/dpop+jwt'].map((value) => header('typ', value, 'TYP')),
    ...['none', 'None', 'NONE', 'es256', 'ES384', 'ES512', 'RS256', 'EdDSA', 'HS256', 'ES256K', '', 7, null, undefined].map(
      (value) => header('alg', value),
    ),
    change('HS256 with the public key as the secret', {
      header: { alg: 'HS256' }, signature: hmacWithPublicKey(key),
    }),
    ...[undefined, null, 'key', [], {}].map((value) => header('jwk', value)),
    ...['kid', 'x5t', 'x5u', 'jku', 'iss', 'other'].map((name) => header(name, 'text')),
    header('x5c', ['MIIB']),
    header('crit', ['exp']),
    header('crit', []),
    header('b64', false, 'EXTENSION'),
    header('zip', 'DEF', 'EXTENSION'),
    change('the key of another client', { header: { jwk: other.jwk } }),
    change('the key of another client, which signs', { header: { jwk: other.jwk }, signature: other.sign }),
  ];
}

function keys(key, other) {
  const jwk = (name, changes, difference) => change(
    `jwk with ${name}`, { header: { jwk: { ...key.jwk, ...changes } } }, difference,
  );
  return [
    jwk('the private key', { d: key.privateJwk.d }),
    jwk('the d of another key', { d: other.privateJwk.d }),
    jwk('kid', { kid: 'key' }),
    jwk('alg', { alg: 'ES256' }),
    jwk('another alg', { alg: 'ES384' }),
    jwk('use sig', { use: 'sig' }),
    jwk('use enc', { use: 'enc' }),
    jwk('key_ops verify', { key_ops: ['verify'] }),
    jwk('key_ops sign', { key_ops: ['sign'] }),
    jwk('ext', { ext: true }),
    jwk('another member', { other: 'text' }),
    jwk('kty oct', { kty: 'oct', k: 'c2VjcmV0' }),
    jwk('kty RSA', { kty: 'RSA' }),
    jwk('kty ec', { kty: 'ec' }),
    jwk('kty 7', { kty: 7 }),
    jwk('crv P-384', { crv: 'P-384' }),
    jwk('crv p-256', { crv: 'p-256' }),
    jwk('no crv', { crv: undefined }),
    jwk('no x', { x: undefined }),
    jwk('no y', { y: undefined }),
    jwk('x of another key', { x: other.jwk.x }),
    jwk('x of zeros', { x: 'A'.repeat(43), y: 'A'.repeat(43) }),
    jwk('x padded with =', { x: `${key.jwk.x}=` }),
    jwk('x with a leading zero byte', {
      x: Buffer.concat([Buffer.alloc(1), Buffer.from(key.jwk.x, 'base64url')]).toString('base64url'),
    }),
    jwk('a short x', { x: key.jwk.x.slice(0, 40) }),
    jwk('x in a list', { x: [key.jwk.x] }),
  ];
}

function claims(token) {
  const claim = (name, value, difference) => change(
    `${name} ${value === undefined ? 'left out' : JSON.stringify(value)}`.slice(0, 60),
    { claims: { [name]: value } }, difference,
  );
  const at = (name, seconds, difference) => ({
    name: `${name} ${seconds} s from now`,
    get changes() {
      return { claims: { [name]: now() + seconds } };
    },
    difference,
  });
  return [
    ...['1', 'a'.repeat(512), 'ü', ' ', '{}'].map((value) => claim('jti', value)),
    ...[undefined, null, 7, '', ['1'], true].map((value) => claim('jti', value)),
    ...[undefined, null, 7, '', 'get', 'Get', 'POST', 'HEAD', 'GET ', ' GET', ['GET']].map((value) => claim('htm', value)),
    ...[undefined, null, '', 'text', '1700000000', [1700000000], true].map((value) => claim('iat', value)),
    ...[0, -1, 1, 1e300, -1e300].map((value) => claim('iat', value)),
    ...[-30, -60, -100, 30].map((seconds) => at('iat', seconds)),
    ...[-150, -250, 100, 250].map((seconds) => at('iat', seconds, 'WINDOW')),
    ...[-400, -3600, 400, 3600].map((seconds) => at('iat', seconds)),
    at('iat', 0.5),
    ...[undefined, null, 7, '', 'x', `${tokenHash(token)}=`, tokenHash(token).toLowerCase(), tokenHash('other'),
      [tokenHash(token)]].map((value) => claim('ath', value)),
    at('exp', 100),
    at('exp', -1000),
    claim('exp', 'text'),
    claim('exp', null),
    at('nbf', -100),
    at('nbf', 1000),
    claim('nbf', 'text'),
    ...[7, null, {}].map((value) => claim('nonce', value)),
    claim('nonce', 'of somebody else', 'NONCE'),
    claim('nonce', ''),
    ...['iss', 'sub', 'aud', 'other'].map((name) => claim(name, 'text')),
  ];
}

function uris(base) {
  const { host, port } = new URL(base);
  const htu = (value, difference) => change(`htu ${value}`, { claims: { htu: value } }, difference);
  return [
    ...[
      `${base}/me?page=2`, `${base}/me#top`, `${base}/me?page=2#top`, `${base}/me?`, `${base}/me#`,
      `HTTP://${host}/me`, `hTTp://${host}/me`, `${base}/x/../me`, `${base}/./me`, `${base}/%2e/me`, `${base}/x/%2E%2e/me`,
      `http://127.0.0.1:0${port}/me`,
      `${base}/me/`, `${base}/me//`, `${base}//me`, `${base}/ME`, `${base}/Me`, `${base}/m`, `${base}/me2`, `${base}/`,
      `${base}`, `${base}/me%20`, `${base}/%2fme`, `${base}/me;a`, `${base}/me%`, `${base}/token`,
      `https://${host}/me`, 'http://127.0.0.1/me', 'http://127.0.0.1:80/me', `http://127.0.0.2:${port}/me`,
      `http://localhost:${port}/me`, `http://user@${host}/me`, `http://user:word@${host}/me`, `ftp://${host}/me`,
      `//${host}/me`, '/me', 'me', '', '*',
    ].map((value) => htu(value)),
    ...[`${base}/%6de`, `${base}/%6De`].map((value) => htu(value, 'PERCENT')),
    ...[
      `http://@${host}/me`, `http:${host}/me`, `http:/${host}/me`, `http:///${host}/me`, `http:\\\\${host}\\me`,
      ` ${base}/me`, `${base}/me `, `${base}/me\t`, `${base}/m\ne`, `${base}\\me`, `${base}/a\\..\\me`,
      `http://127.1:${port}/me`, `http://2130706433:${port}/me`, `http://0x7f.0.0.1:${port}/me`,
    ].map((value) => htu(value, 'LENIENT_URL')),
    ...[undefined, null, 7, [`${base}/me`]].map((value) => change(
      `htu ${value === undefined ? 'left out' : JSON.stringify(value)}`, { claims: { htu: value } },
    )),
  ];
}

function encodings(key, other) {
  const whole = (name, action, difference) => change(name, { whole: action }, difference);
  const text = (name, changes, difference) => change(name, changes, difference);
  const der = { dsaEncoding: 'der' };
  const part = (index, action) => (parts) => parts.map((one, at) => (at === index ? action(one) : one)).join('.');
  return [
    text('a DER signature', { signature: (input) => key.sign(input, der) }),
    text('a signature of another key', { signature: other.sign }),
    text('a signature of another text', { signature: () => key.sign('text') }),
    text('a signature of zeros', { signature: () => Buffer.alloc(64) }),
    text('a signature out of range', { signature: () => Buffer.alloc(64, 0xff) }),
    text('a signature with one more byte', { signature: (input) => Buffer.concat([key.sign(input), Buffer.alloc(1)]) }),
    text('a signature with one byte less', { signature: (input) => key.sign(input).subarray(1) }),
    text('no signature', { signature: () => Buffer.alloc(0) }),
    text('a payload that is a list', { payloadText: (payload) => `[${payload}]` }),
    text('a payload that is text', { payloadText: () => 'text' }),
    text('an empty payload', { payloadText: () => '' }),
    text('a payload with a space before it', { payloadText: (payload) => ` ${payload}` }),
    text('a payload with more after it', { payloadText: (payload) => `${payload}{}` }),
    text('a payload with a byte order mark', { payloadText: (payload) => `\ufeff${payload}` }, 'BYTE_ORDER_MARK'),
    text('htm twice, the good one last', { payloadText: (payload) => payload.replace('{', '{"htm":"POST",') }, 'REPEATED'),
    text('htm twice, the good one first', { payloadText: (payload) => payload.replace(/}$/, ',"htm":"POST"}') }),
    text('typ twice, the good one last', { headerText: (header) => header.replace('{', '{"typ":"JWT",') }, 'REPEATED'),
    text('alg twice, the good one last', { headerText: (header) => header.replace('{', '{"alg":"none",') }, 'REPEATED'),
    text('a header that is a list', { headerText: (header) => `[${header}]` }),
    text('a header with a byte order mark', { headerText: (header) => `\ufeff${header}` }, 'BYTE_ORDER_MARK'),
    ...[0, 1, 2].map((index) => whole(`part ${index} padded with =`, part(index, (one) => `${one}=`))),
    ...[0, 1, 2].map((index) => whole(`part ${index} with a line feed escaped`, part(index, (one) => `${one}%0A`))),
    whole('a signature whose unused bits are set', part(2, (one) => `${one.slice(0, -1)}${
      String.fromCharCode(one.charCodeAt(one.length - 1) + 1)}`), 'CANONICAL'),
    whole('two parts', (parts) => parts.slice(0, 2).join('.')),
    whole('four parts', (parts) => [...parts, 'x'].join('.')),
    whole('a dot at the end', (parts) => `${parts.join('.')}.`),
    whole('a dot before it', (parts) => `.${parts.join('.')}`),
    whole('a comma after it', (parts) => `${parts.join('.')},`),
    whole('spaces around it', (parts) => `  ${parts.join('.')}  `),
    whole('a space in it', (parts) => parts.join(' .')),
    whole('text', () => 'text'),
  ];
}

/**
 * The cases: `{ name, alg, changes, difference }`. `alg` is that of the key if it is another one than the usual one,
 * which is `key`; `changes` are for `makeProof`.
 */
export function proofCases({ key, token, base }) {
  const other = makeKey('ES256');
  return [
    ...keysOf('ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'Ed25519', 'EdDSA'),
    ...headers(key, other),
    ...keys(key, other),
    ...claims(token),
    ...uris(base),
    ...encodings(key, other),
  ];
}

/**
 * The cases that are about more than the proof: `{ name, headers, query, difference }`. `other` is another token of the
 * same key, and `unbound` one that is bound to nothing.
 */
export function requestCases({ key, token, other, unbound, htu }) {
  const proof = (of = token) => makeProof({ key, token: of, htu });
  const one = (name, authorization, proofs, { difference, query } = {}) => ({
    name,
    headers: [...(authorization === null ? [] : ['Authorization', authorization]),
      ...proofs.flatMap((value) => ['DPoP', value])],
    query,
    difference,
  });
  const twice = proof();
  return [
    one('a proof in the header DPoP', `DPoP ${token}`, [proof()]),
    one('the scheme in lower case', `dpop ${token}`, [proof()]),
    one('the scheme in upper case', `DPOP ${token}`, [proof()]),
    one('the scheme Bearer, with a proof', `Bearer ${token}`, [proof()]),
    one('the scheme Bearer', `Bearer ${token}`, []),
    one('no proof', `DPoP ${token}`, []),
    one('an empty proof', `DPoP ${token}`, ['']),
    one('two proofs', `DPoP ${token}`, [proof(), proof()]),
    one('the same proof twice', `DPoP ${token}`, [twice, twice]),
    one('two proofs in one header', `DPoP ${token}`, [`${proof()}, ${proof()}`]),
    one('the proof as token', `DPoP ${twice}`, [twice]),
    one('the token as proof', `DPoP ${token}`, [token]),
    one('no token', null, [proof()]),
    one('no text after the scheme', 'DPoP', [proof()]),
    one('another token of the same key', `DPoP ${other}`, [proof()]),
    one('another token of the same key, and its proof', `DPoP ${other}`, [proof(other)]),
    one('an unbound token', `DPoP ${unbound}`, [proof(unbound)]),
    one('an unbound token as Bearer', `Bearer ${unbound}`, []),
    one('an unknown token', 'DPoP text', [proof('text')]),
    one('a query', `DPoP ${token}`, [proof()], { query: '?page=2' }),
  ];
}
