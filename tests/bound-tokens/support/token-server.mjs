// An authorization server in which tests make tokens of any kind, good and bad. It answers requests for its keys and for
// introspection.

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

import { SignJWT, decodeJwt, exportJWK, generateKeyPair } from 'jose';

import { LOOPBACK, SERVER, listen } from '../../../tools/listen.mjs';

/** The client by which the gate asks about tokens. */
export const GATE = { id: 'gate', secret: 'the-secret-of-the-gate' };

const ALGORITHMS = ['ES256', 'PS256', 'EdDSA', 'RS256'];

/** Starts the server. Every key has the same `kid`. Returns `{ port, issuer, sign(), revoke(), stop() }`. */
export async function startTokenServer() {
  const keys = new Map();
  const published = [];
  for (const alg of ALGORITHMS) {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    keys.set(alg, privateKey);
    published.push({ ...await exportJWK(publicKey), alg, use: 'sig', kid: 'key' });
  }
  const revoked = new Set();
  const asks = `Basic ${btoa(`${GATE.id}:${GATE.secret}`)}`;
  const server = createServer(SERVER, async (request, response) => {
    const body = new URLSearchParams(await text(request));
    if (request.url === '/jwks') {
      response.end(JSON.stringify({ keys: published }));
    } else if (request.url === '/introspect' && request.headers.authorization === asks) {
      const token = body.get('token');
      response.end(JSON.stringify(
        revoked.has(token) ? { active: false } : { active: true, ...decodeJwt(token) },
      ));
    } else {
      response.writeHead(401).end();
    }
  });
  const port = await listen(server, 0);
  const issuer = `http://${LOOPBACK}:${port}`;
  return {
    port,
    issuer,
    /** A token with these claims besides `iss`, `iat` and `exp`. */
    sign: (claims, { alg = 'ES256', typ = 'at+jwt' } = {}) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: issuer, iat: now, exp: now + 600, ...claims })
        .setProtectedHeader({ alg, typ, kid: 'key' })
        .sign(keys.get(alg));
    },
    revoke: (token) => revoked.add(token),
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
