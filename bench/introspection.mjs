// The introspection endpoint of scenarios in which requests wait.

import { createServer } from 'node:http';

import { SERVER, close, listen } from '../tools/listen.mjs';
import { AUDIENCE, ISSUER, SUBJECT } from './tokens.mjs';

/** The cluster of the endpoint. */
export const INTROSPECTION_CLUSTER = 'introspection';
/** The environment of the filter. */
export const ENVIRONMENT = { BENCH_SECRET: 'secret' };

/** How long an answer takes: all requests that arrive at once have arrived by then. */
const DELAY_MS = 100;
const ANSWER = JSON.stringify({ active: true, iss: ISSUER, aud: AUDIENCE, sub: SUBJECT });

/** The field `introspection` of a provider. A token must be asked for again in each round. */
export const INTROSPECTION = {
  http_uri: { uri: 'http://issuer.example/introspect', cluster: INTROSPECTION_CLUSTER, timeout: '20s' },
  client_id: 'bench',
  client_secret_environment_variable: Object.keys(ENVIRONMENT)[0],
  cache_duration: '0.1s',
  for: 'all',
};

/** Serves the endpoint on a free port: every token is active. Returns `{ port, stop() }`. */
export async function serveIntrospection() {
  const server = createServer(SERVER, (request, response) => {
    request.resume();
    setTimeout(() => {
      response.setHeader('content-type', 'application/json');
      response.end(ANSWER);
    }, DELAY_MS);
  });
  const port = await listen(server, 0);
  const stop = () => close(server);
  return { port, stop };
}
