// The panel Answer: the decision, its reason, and the request as a curl command.

import { challengeBlock, metadataUrl, parseChallenge } from './challenge.mjs';
import { byId, copies, element, showJson } from './dom.mjs';
import { metadataBlock } from './metadata.mjs';

/** What the caller can do about a refusal, by the gate's `error_description`. */
const MEANINGS = new Map([
  ['The request carries no access token',
    'Send one: generate keys, and the console puts the token into the Authorization header.'],
  ['No rule allows this request',
    'The gate has no rule for this path.'],
  ['The credential is not a well-formed bearer token',
    'The Authorization header must be the word Bearer, a space and the token.'],
  ['The request carries a header that clients may not send',
    'It is a header that only the gate sets, or one that looks like it with _ for -.'],
  ['The request carries more than one credential',
    'Send the token once, in the Authorization header.'],
  ['The access token expired',
    'Its time, the claim exp, is over. Generate another one.'],
  ['The signature of the access token is not valid',
    'The token is not what the authorization server signed: at least one character of its header or '
    + 'claims has changed since. Nobody but the server can sign the changed one.'],
  ['The access token is signed with an unknown key',
    'Its kid names no key of the authorization server: the key was withdrawn, or it never was one.'],
  ['The access token is meant for another audience',
    'The claim aud names another API. Generate a token for this one.'],
  ['The access token comes from another issuer',
    'The claim iss names an authorization server that this gate does not trust.'],
  ['The access token is not valid yet',
    'The claim nbf is in the future.'],
  ['The access token is malformed',
    'It is not three parts of base64url with a JSON header and JSON claims.'],
  ['The access token lacks a scope that is needed here',
    'It is a good token, but this call needs other scopes, which the challenge names. Get a token with '
    + 'them: OAuth calls that stepping up.'],
  ['The access token does not give access to this resource',
    'It is a good token, but it lacks something that its claims must say for this API.'],
  ['The keys of the issuer cannot be had at the moment',
    'The gate needs the authorization server’s public keys to check tokens, and cannot get them.'],
]);

const TITLES = {
  200: 'Admitted',
  400: 'Not a valid request',
  401: 'Not authorized',
  403: 'Not allowed',
  404: 'Not found',
  503: 'Cannot be decided now',
};

/** The JSON value of a body, or of the event that it is; `null` if it is neither. */
function parse(text) {
  const event = /^(?:event: message\r?\n)?data: (.*)\s*$/.exec(text);
  try {
    return JSON.parse(event ? event[1] : text);
  } catch {
    return null;
  }
}

/** What the page knows about the token in addition to the answer. */
function knowledge(token, api, status) {
  if (!token) {
    return null;
  }
  const admitted = status === 200;
  if (token.fate === 'tampered') {
    return admitted ? null : 'You have tampered with this token.';
  }
  if (token.fate === 'revoked' || token.fate === 'outdated') {
    const what = token.fate === 'revoked'
      ? 'This token is revoked' : 'This token is older than the client secret, and so revoked';
    return admitted
      ? `${what}, but the gate does not know that yet: it reads the list of revoked tokens every 2 s.`
      : `${what}.`;
  }
  if (!api.scopes && !token.subscribes(api)) {
    return admitted
      ? `The token has no subscription of ${api.title} ${api.version}, and this gate is not `
        + 'configured to ask for one.'
      : `The token has no subscription of ${api.title} ${api.version}: switch Subscribed on.`;
  }
  return null;
}

/** The explanation of an answer, as paragraphs. */
function explanation({ status, challenge, body, token, api, retryAfter }) {
  const known = knowledge(token, api, status);
  if (status === 200) {
    return [
      'The gate has checked the token’s signature, issuer, audience and time, and let the request '
      + 'through to the API.',
      known,
    ];
  }
  const gate = challenge !== null || ['temporarily_unavailable', 'access_denied'].includes(body?.error);
  const description = challenge?.get('error_description') ?? body?.error_description;
  if (!gate) {
    return [
      'The gate has let the request through; this is the API’s own answer.',
      description ? `${description}.` : null,
    ];
  }
  return [
    description ? `${description}.` : 'The gate says no more than that.',
    MEANINGS.get(description) ?? null,
    known,
    retryAfter ? `Try again in ${retryAfter} s.` : null,
  ];
}

/** A request as a curl command. */
export function curl({ url, headers, body, certificate }) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    'curl -i',
    ...(certificate && url.startsWith('https:') ? [`--cacert ${quote(certificate)}`] : []),
    ...Object.entries(headers)
      // curl sends it by default.
      .filter(([name, value]) => name.toLowerCase() !== 'accept' || value !== '*/*')
      .map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body ? [`-d ${quote(body)}`] : []),
    quote(url),
  ].join(' \\\n  ');
}

function curlBlock(command) {
  const button = element('button', { class: 'quiet', type: 'button' }, 'Copy');
  copies(button, () => command);
  return element('section', { 'aria-label': 'curl' },
    element('div', { class: 'block-head' }, element('h3', {}, 'curl'), button),
    element('pre', { id: 'curl', tabindex: '0', 'aria-label': 'The request as a curl command' },
      command));
}

function bodyBlock(text, body) {
  const pre = element('pre', { id: 'body', tabindex: '0', 'aria-label': 'Body of the answer' });
  if (body === null) {
    pre.textContent = text;
  } else {
    showJson(pre, body);
  }
  return element('section', { 'aria-label': 'Body' }, element('h3', {}, 'Body'), pre);
}

/** Fills the panel; screen readers announce `summary`. */
function put(kind, summary, details) {
  const panel = byId('answer').closest('.answer');
  panel.dataset.kind = kind;
  byId('answer').replaceChildren(...summary);
  byId('answer-details').replaceChildren(...details);
  const { top, bottom } = panel.getBoundingClientRect();
  if (top > innerHeight - 80 || bottom < 80) {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    panel.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
  }
}

/** Shows an answer. `sent` is `{url, headers, body}`, `context` `{token, api, certificate, stepUp}`. */
export async function showAnswer(sent, response, milliseconds, context) {
  const { status, headers } = response;
  const text = await response.text();
  const body = parse(text);
  const challenge = parseChallenge(headers.get('www-authenticate'));
  const facts = { status, challenge, body, retryAfter: headers.get('retry-after'), ...context };
  const kind = status < 300 ? 'good' : status === 403 || status >= 500 ? 'warn' : 'bad';
  put(kind, [
    element('p', { class: 'verdict' },
      element('strong', { class: 'status' }, String(status)),
      element('span', {}, TITLES[status] ?? 'Answered'),
      element('small', {}, `${milliseconds} ms`)),
    ...explanation(facts).filter(Boolean).map((sentence) => element('p', {}, sentence)),
  ], [
    ...(challenge?.size ? [challengeBlock(challenge, context.stepUp)] : []),
    ...(metadataUrl(challenge) ? [metadataBlock(metadataUrl(challenge))] : []),
    curlBlock(curl({ ...sent, certificate: context.certificate })),
    bodyBlock(text, body),
  ]);
}

/** Shows that there was no answer, or none that the page may read. */
export function showFailure(sent, { certificate }) {
  const secure = sent.url.startsWith('https:');
  put('bad', [
    element('p', { class: 'verdict' },
      element('strong', { class: 'status' }, '—'), element('span', {}, 'No answer')),
    element('p', {}, secure
      ? 'The browser got no answer from the API. It may not trust the demo’s certificate: open the '
        + 'address below once in a tab and accept it, or choose HTTP above.'
      : 'The browser got no answer from the API. Is the demo still running?'),
    ...(secure ? [element('p', {}, element('a',
      { href: new URL(sent.url).origin, target: '_blank', rel: 'noopener noreferrer' },
      new URL(sent.url).origin))] : []),
  ], [curlBlock(curl({ ...sent, certificate }))]);
}
