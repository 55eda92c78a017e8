// The challenge of a refusal: the header WWW-Authenticate (RFC 6750, section 3).

import { element } from './dom.mjs';

/** The parameters of a Bearer challenge by name; `null` for any other header. */
export function parseChallenge(header) {
  if (!/^Bearer\b/i.test(header ?? '')) {
    return null;
  }
  const parameters = header.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g);
  return new Map([...parameters].map(([, name, value]) => [name, value.replace(/\\(.)/g, '$1')]));
}

/** The scopes that a challenge asks for. */
export function scopes(challenge) {
  return challenge?.get('scope')?.split(' ').filter(Boolean) ?? [];
}

/** The URL of the metadata document that a challenge names; `null` if it names none. */
export function metadataUrl(challenge) {
  const url = URL.parse(challenge?.get('resource_metadata') ?? '');
  return ['http:', 'https:'].includes(url?.protocol) ? url.href : null;
}

/** A link that tells the other site nothing about this page. */
function link(url) {
  return element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, url);
}

function shown(name, value, challenge) {
  if (name === 'scope') {
    return scopes(challenge).flatMap((scope, index) => [
      ...(index === 0 ? [] : [' ']), element('code', { class: 'scope' }, scope)]);
  }
  return [name === 'resource_metadata' && metadataUrl(challenge) ? link(value) : value];
}

/**
 * The parameters of a challenge as a table. `stepUp` makes a button get a token with the scopes that the
 * challenge asks for; `null` if the console has no scopes to choose here.
 */
export function challengeBlock(challenge, stepUp) {
  const rows = [...challenge].map(([name, value]) => element('tr', {},
    element('th', { scope: 'row' }, name),
    element('td', {}, ...shown(name, value, challenge))));
  const wanted = scopes(challenge);
  const button = stepUp && wanted.length > 0
    ? element('button', { class: 'primary', type: 'button', id: 'step-up' },
      `Get a token with ${wanted.length === 1 ? 'this scope' : 'these scopes'}`)
    : null;
  if (button) {
    stepUp(button, wanted);
  }
  return element('section', { 'aria-label': 'Challenge' },
    element('h3', {}, 'Challenge'),
    element('p', { class: 'note' }, 'WWW-Authenticate: Bearer, with'),
    element('table', { id: 'challenge' }, element('tbody', {}, ...rows)),
    button);
}
