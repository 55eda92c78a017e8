// The choice of the scopes of new tokens, for an API that has scopes.

import { byId, element } from './dom.mjs';

const inputs = () => [...byId('scope-choices').querySelectorAll('input')];

/** The scopes that are chosen. */
export const chosenScopes = () => inputs().filter(({ checked }) => checked).map(({ value }) => value);

/** Shows the scopes of the chosen API. Elements that fit are kept, and so is the focus. */
export function renderScopes({ api, scopes }) {
  const offered = api.scopes ?? [];
  byId('scopes').hidden = offered.length === 0;
  if (inputs().map(({ value }) => value).join(' ') !== offered.join(' ')) {
    byId('scope-choices').replaceChildren(...offered.map((scope) => element('label', {},
      element('input', { type: 'checkbox', value: scope }), element('code', {}, scope))));
  }
  for (const input of inputs()) {
    input.checked = scopes.includes(input.value);
  }
}
