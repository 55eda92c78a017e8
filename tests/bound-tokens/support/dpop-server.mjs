// The authorization server: `oidc-provider`, which binds tokens to the key of a DPoP proof (RFC 9449). Its userinfo
// endpoint checks proofs, too.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { LOOPBACK, SERVER, listen } from '../../../tools/listen.mjs';
import { quietly } from './quietly.mjs';

/** The client of all tests, and that by which the gate asks about opaque tokens. */
export const CLIENT = { id: 'agent', secret: 'the-secret-of-the-agent' };
export const INTROSPECTION_CLIENT = { id: 'gate', secret: 'the-secret-of-the-gate' };

/** What proofs may be signed with. */
export const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'Ed25519', 'EdDSA'];

const SCOPE = 'api:read';

function configuration(isOpaque) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const client = ({ id, secret }, grants) => ({
    client_id: id,
    client_secret: secret,
    grant_types: grants,
    response_types: [],
    redirect_uris: [],
    id_token_signed_response_alg: 'ES256',
  });
  return {
    clients: [
      { ...client(CLIENT, ['client_credentials']), dpop_bound_access_tokens: true, scope: `openid ${SCOPE}` },
      client(INTROSPECTION_CLIENT, []),
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'key' }] },
    responseTypes: [],
    scopes: ['openid', SCOPE],
    ttl: { ClientCredentials: 600, AccessToken: 600, Grant: 600 },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    enabledJWA: { dPoPSigningAlgValues: ALGORITHMS },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      introspection: { enabled: true, allowedPolicy: async () => true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: SCOPE,
          audience: resource,
          accessTokenFormat: isOpaque(resource) ? 'opaque' : 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

/**
 * Starts the server. Tokens for the resources that satisfy `isOpaque` are opaque. Returns `{ port, issuer,
 * userToken(jkt), stop() }`; `userToken` makes a token for the userinfo endpoint, bound to the key with this
 * thumbprint, or to none.
 */
export async function startDpopServer({ isOpaque = () => false } = {}) {
  // Listens first: the issuer contains the port.
  const server = createServer(SERVER);
  const port = await listen(server, 0);
  const issuer = `http://${LOOPBACK}:${port}`;
  const provider = await quietly(async () => {
    const { default: Provider } = await import('oidc-provider');
    return new Provider(issuer, configuration(isOpaque));
  });
  server.on('request', await quietly(() => provider.callback()));
  async function userToken(jkt) {
    const accountId = 'alice';
    const grant = new provider.Grant({ accountId, clientId: CLIENT.id });
    grant.addOIDCScope('openid');
    const token = new provider.AccessToken({
      accountId,
      client: await provider.Client.find(CLIENT.id),
      grantId: await grant.save(),
      gty: 'authorization_code',
      scope: 'openid',
    });
    if (jkt !== undefined) {
      token.setThumbprint('jkt', jkt);
    }
    return token.save();
  }
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { port, issuer, userToken, stop };
}
