// The challenges of a refusal, with their parameters.

import { scopes, webUrl } from '../challenge.mjs';
import { element, externalLink } from './dom.mjs';

function shown(name, value) {
  if (name === 'scope') {
    return value.split(' ').filter(Boolean).flatMap((scope, index) => [
      ...(index === 0 ? [] : [' ']), element('code', { class: 'scope' }, scope)]);
  }
  const url = name === 'resource_metadata' ? webUrl(value) : null;
  return [url ? externalLink(url) : value];
}

function table({ scheme, parameters }) {
  const rows = [...parameters].map(([name, value]) => element('tr', {},
    element('th', { scope: 'row' }, name), element('td', {}, ...shown(name, value))));
  return [
    element('p', { class: 'note' }, `The header WWW-Authenticate: ${scheme}, with`),
    element('table', {}, element('tbody', {}, ...rows)),
  ];
}

/**
 * The challenges as tables. `stepUp(button, scopes)` makes a button get a token with the scopes that they
 * ask for; `null` if the console has no scopes to choose here.
 */
export function challengeBlock(challenges, stepUp) {
  const wanted = scopes(challenges);
  const button = stepUp && wanted.length > 0
    ? element('button', { class: 'primary', type: 'button', id: 'step-up' },
      `Get a token with ${wanted.length === 1 ? 'this scope' : 'these scopes'}`)
    : null;
  if (button) {
    stepUp(button, wanted);
  }
  return element('section', { id: 'challenge', 'aria-label': 'Challenge' },
    element('h3', {}, 'Challenge'), ...challenges.flatMap(table), button);
}
