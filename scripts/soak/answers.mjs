// The answers that clients get, by name: what status and description each has.

const denial = (status, error, description) => ({ status, error, description });

/** `admitted` comes from the upstream. The others are the gate's; their names are those of the metrics. */
const ANSWERS = {
  admitted: { status: 200 },
  missing: denial(401, 'missing_token', 'The request carries no access token'),
  malformed: denial(401, 'invalid_token', 'The access token is malformed'),
  several_tokens: denial(400, 'invalid_request', 'The request carries more than one credential'),
  malformed_credential: denial(400, 'invalid_request', 'The credential is not a well-formed bearer token'),
  algorithm: denial(401, 'invalid_token', 'The access token is signed with an algorithm that is not accepted'),
  issuer: denial(401, 'invalid_token', 'The access token comes from another issuer'),
  audience: denial(401, 'invalid_token', 'The access token is meant for another audience'),
  expired: denial(401, 'invalid_token', 'The access token expired'),
  unknown_key: denial(401, 'invalid_token', 'The access token is signed with an unknown key'),
  signature: denial(401, 'invalid_token', 'The signature of the access token is not valid'),
  revoked: denial(401, 'invalid_token', 'The access token has been revoked'),
  inactive: denial(401, 'invalid_token', 'The access token is not active'),
  scope: denial(403, 'insufficient_scope', 'The access token lacks a scope that is needed here'),
  keys_unavailable: denial(503, 'temporarily_unavailable', 'The keys of the issuer cannot be had at the moment'),
  revocation_unavailable: denial(503, 'temporarily_unavailable', 'It cannot be told at the moment which access tokens are revoked'),
  introspection_unavailable: denial(503, 'temporarily_unavailable', 'It cannot be told at the moment whether the access token is active'),
};

/** The header that comes with all denials of a status. */
const HEADER = { 400: 'www-authenticate', 401: 'www-authenticate', 403: 'www-authenticate', 503: 'retry-after' };

/** The name of an answer, or a description of an answer that has no name. */
export function nameOf({ status, headers, body }) {
  const json = parsed(body);
  if (status === 200) {
    return json?.upstream ? 'admitted' : '200 that is not from the upstream';
  }
  const found = Object.entries(ANSWERS).find(([, answer]) => (
    answer.status === status
    && answer.error === json?.error
    && answer.description === json?.error_description));
  if (!found) {
    return `${status} ${json?.error_description ?? body.slice(0, 80)}`;
  }
  if (!headers[HEADER[status]] || headers['cache-control'] !== 'no-store') {
    return `${found[0]} without ${HEADER[status]} or cache-control`;
  }
  return found[0];
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
