// What the tutorial and the tasks need around Envoy: two authorization servers and an API, on loopback. They give a
// token to everyone, so they are for trying only. Nothing has to be installed: `node docs/tasks/servers.mjs`.
//
// http://127.0.0.1:9000, an authorization server:
//   GET  /jwks         its key set; /partner/jwks is that of another issuer
//   POST /token        a signed token; the JSON in the body has claims to add, `null` removes one; also /partner/token
//   POST /opaque       an opaque token with these claims
//   POST /introspect   what an opaque token means (RFC 7662), for the client `gate` with the secret `secret`
//   POST /revoke       revokes the token in the body
//   GET  /revoked      the list of revoked tokens
// https://127.0.0.1:9443, the same for clients with a certificate, if this program is called with three files: the CA,
//   the certificate and the key of the server
// http://127.0.0.1:9001, the API: says what it got; upgrades to WebSocket, and sends one message
// http://127.0.0.1:9002, a gRPC server without TLS: answers every call with an empty message

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';

const HOST = '127.0.0.1';
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** An issuer with a key of its own. */
function newIssuer(iss, kid) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }];
  return { iss, kid, privateKey, keys };
}

const ISSUER = newIssuer('https://issuer.example', 'key-1');
const PARTNER = newIssuer('https://partner.example', 'partner-1');

/** The claims of a token for the API, with those that were asked for. `null` removes one. */
function claimsFrom({ iss }, body) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss, sub: 'alice', aud: 'https://api.example', client_id: 'app', iat: now, exp: now + 3600, jti: randomUUID(),
    ...JSON.parse(body || '{}'),
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

const encoded = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

function token(issuer, body) {
  const signed = `${encoded({ alg: 'ES256', typ: 'at+jwt', kid: issuer.kid })}.${encoded(claimsFrom(issuer, body))}`;
  const signature = sign('sha256', signed, { key: issuer.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** The claims of opaque tokens, by token. */
const opaque = new Map();
/** The `jti` of revoked tokens. */
const revoked = [];

function newOpaque(body) {
  const name = randomUUID();
  opaque.set(name, claimsFrom(ISSUER, body));
  return name;
}

function revoke(body) {
  if (!opaque.delete(body)) {
    revoked.push(JSON.parse(Buffer.from(body.split('.')[1] ?? '', 'base64url')).jti);
  }
  return '';
}

function introspect(body, { authorization }) {
  if (authorization !== `Basic ${btoa('gate:secret')}`) {
    return null;
  }
  const claims = opaque.get(new URLSearchParams(body).get('token'));
  return claims ? { active: true, ...claims } : { active: false };
}

/** What each request is answered with: a text, an object as JSON, or `null` for 401. */
const ANSWERS = {
  'GET /jwks': () => ({ keys: ISSUER.keys }),
  'GET /partner/jwks': () => ({ keys: PARTNER.keys }),
  'GET /revoked': () => ({ tokens: revoked }),
  'POST /token': (body) => token(ISSUER, body),
  'POST /partner/token': (body) => token(PARTNER, body),
  'POST /opaque': newOpaque,
  'POST /introspect': introspect,
  'POST /revoke': revoke,
};

async function authorizationServer(request, response) {
  let body = '';
  for await (const part of request.setEncoding('utf8')) {
    body += part;
  }
  try {
    const answer = ANSWERS[`${request.method} ${request.url}`]?.(body, request.headers);
    if (answer === undefined || answer === null) {
      response.writeHead(answer === null ? 401 : 404).end();
    } else if (typeof answer === 'string') {
      response.end(answer);
    } else {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    }
  } catch (error) {
    response.writeHead(400).end(`${error.message}\n`);
  }
}

/** Headers that Envoy adds to every request. */
const USUAL = /^(x-forwarded-proto|x-request-id|x-envoy-.*)$/;

/** The API names the request line, and the headers that tasks are about. */
function api({ method, url, headers }, response) {
  const shown = Object.entries(headers).filter(([name]) => /^(authorization$|x-)/.test(name) && !USUAL.test(name));
  const lines = [`The API got ${method} ${url}`, ...shown.map(([name, value]) => `  ${name}: ${value}`)];
  response.setHeader('content-type', 'text/plain').end(`${lines.join('\n')}\n`);
}

/** Accepts a WebSocket, sends a message and closes it. */
function webSocket({ headers }, socket) {
  const accept = createHash('sha1').update(headers['sec-websocket-key'] + WEBSOCKET_GUID).digest('base64');
  const text = Buffer.from('hello\n');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${
    accept}\r\n\r\n`);
  socket.end(Buffer.concat([Buffer.from([0x81, text.length]), text, Buffer.from([0x88, 0])]));
}

function grpc(stream) {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  // An empty message: not compressed, of length 0.
  stream.end(Buffer.alloc(5));
  stream.resume();
}

createHttpServer(authorizationServer).listen(9000, HOST);
createHttpServer(api).on('upgrade', webSocket).listen(9001, HOST);
createHttp2Server().on('stream', grpc).listen(9002, HOST);
const [ca, cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
if (key) {
  createHttpsServer({ ca, cert, key, requestCert: true }, authorizationServer).listen(9443, HOST);
}
