// The parameters of a challenge.

import { metadataUrl, scopes } from '../challenge.mjs';
import { element, externalLink } from './dom.mjs';

function shown(name, value, challenge) {
  if (name === 'scope') {
    return scopes(challenge).flatMap((scope, index) => [
      ...(index === 0 ? [] : [' ']), element('code', { class: 'scope' }, scope)]);
  }
  return [name === 'resource_metadata' && metadataUrl(challenge) ? externalLink(value) : value];
}

/**
 * The parameters of a challenge as a table. `stepUp(button, scopes)` makes a button get a token with the
 * scopes that the challenge asks for; `null` if the console has no scopes to choose here.
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
    element('p', { class: 'note' }, 'The header WWW-Authenticate: Bearer, with'),
    element('table', { id: 'challenge' }, element('tbody', {}, ...rows)),
    button);
}
