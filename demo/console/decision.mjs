// Who has answered a call, why, and which checks of the gate it has passed.

import { parameter, parseChallenges } from './challenge.mjs';

/** Envoy adds this header to what the API answers, and to nothing else. */
const FROM_API = 'x-envoy-upstream-service-time';

/** The demo's Envoy names the rule in it that has refused a call: `rules[0]` is the first. */
const RULE = 'x-gate-rule';

/** The JSON value of a body, or of the event that it is; `null` if it is neither. */
export function parseBody(text) {
  const event = /^(?:event: message\r?\n)?data: (.*)\s*$/.exec(text);
  try {
    return JSON.parse(event ? event[1] : text);
  } catch {
    return null;
  }
}

/**
 * Reads an answer. `reasons` are those for refusals, by their codes. Returns
 *
 *   by           `gate`, `api` or `envoy`
 *   code         the code of the gate's reason; `null` if it is unknown, or not the gate's answer
 *   reason       what is known about that code; `null` without one
 *   rule         the place of the rule by which the gate has refused the call; `null` if it names none
 *   admitted     whether the gate has let the call pass; `null` if that is unknown
 *   challenges   what `parseChallenges` returns
 *   description  what the answer itself says about its reason, or `null`
 *   body         the JSON value of the body, or `null`
 */
export function read({ status, headers, text }, reasons) {
  const challenges = parseChallenges(headers.get('www-authenticate'));
  const body = parseBody(text);
  const description = parameter(challenges, 'error_description') ?? body?.error_description ?? null;
  const facts = { challenges, body, description, code: null, reason: null, rule: null };
  // Neither the gate nor Envoy answers a call with success.
  if (headers.has(FROM_API) || status < 300) {
    return { ...facts, by: 'api', admitted: true };
  }
  const known = Object.entries(reasons).find(([, reason]) => reason.description === description);
  const rule = headers.get(RULE);
  if (known) {
    const [code, reason] = known;
    return { ...facts, by: 'gate', code, reason, rule, admitted: false };
  }
  if (challenges.length > 0) {
    return { ...facts, by: 'gate', rule, admitted: false };
  }
  // Envoy gives up on an API that does not answer only after the gate has let the call pass.
  const upstream = status === 504 || /upstream (connect error|request timeout)|no healthy upstream/.test(text);
  return { ...facts, by: 'envoy', admitted: upstream ? true : null };
}

/** The checks of the gate in their order; of opaque tokens, the authorization server's word comes first. */
const JWT_STEPS = ['request', 'token', 'issuer', 'audience', 'time', 'signature', 'revocation', 'sender',
  'permission'];
const OPAQUE_STEPS = ['request', 'token', 'revocation', 'issuer', 'audience', 'time', 'sender',
  'permission'];
/** Checks that are not worth a line unless a call fails them. */
const SELDOM = ['request', 'sender'];

/**
 * The checks of the gate that a call has been through, as `{step, outcome}`: `passed`, `failed` (for the
 * one that it was refused at), `unknown` (if the gate could not find out) or `skipped`. `null` if it is
 * unknown what the gate has checked.
 */
export function checklist({ admitted, reason }, { opaque, status }) {
  if (admitted === null || (!admitted && !reason)) {
    return null;
  }
  const steps = opaque ? OPAQUE_STEPS : JWT_STEPS;
  const failed = admitted ? steps.length : steps.indexOf(reason.step);
  return steps.map((step, index) => {
    if (index === failed) {
      return { step, outcome: status === 503 ? 'unknown' : 'failed' };
    }
    return { step, outcome: index < failed ? 'passed' : 'skipped' };
  }).filter(({ step, outcome }) => !SELDOM.includes(step) || ['failed', 'unknown'].includes(outcome));
}
