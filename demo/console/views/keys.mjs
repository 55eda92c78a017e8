// The panel Keys: the choices, the client, and the notice about what was done.

import { byId, element } from './dom.mjs';

/** Fills a `fieldset` with radio buttons. */
export function segments(target, name, choices, chosen) {
  target.append(...choices.map(({ value, label }) => {
    const input = element('input', { type: 'radio', name, value });
    input.checked = value === chosen;
    return element('label', {}, input, element('span', {}, label));
  }));
}

/** The value of the radio button that is chosen in a `fieldset`. */
export const chosen = (fieldset) => fieldset.querySelector(':checked').value;

export function notice(text, problem = false) {
  byId('notice').textContent = text;
  byId('notice').classList.toggle('problem', problem);
}

/** The validity period in the form; `null`, with a message to the user, if it is invalid. */
export function validityPeriod() {
  const text = byId('validity').value.trim().replace('−', '-');
  const good = text === '-1' || /^[1-9]\d{0,8}$/.test(text);
  const problem = byId('validity-problem');
  problem.hidden = good;
  problem.textContent = good ? '' : 'Enter a whole number of seconds, or −1 for a token that never expires.';
  byId('validity').setAttribute('aria-invalid', String(!good));
  if (!good) {
    byId('validity').focus();
  }
  return good ? text : null;
}

/** Shows the state in the panel and in the choices at the top. */
export function renderKeys(state) {
  const { api: { name, title, version, scopes }, client, keytype, server, revealed } = state;
  byId('api-choice').value = name;
  byId('key-type').querySelector(`[value=${keytype}]`).checked = true;
  byId('server-choice').querySelector(`[value=${server.name}]`).checked = true;
  byId('subscribed').closest('.switch').hidden = Boolean(scopes);
  byId('subscribed').checked = state.isSubscribed;
  byId('subscription-hint').textContent = `New tokens ${
    state.isSubscribed ? 'include' : 'do not include'} ${title} ${version}.`;
  byId('generate-button').textContent = client ? 'Generate token' : 'Generate keys';
  byId('credentials').hidden = !client;
  if (client) {
    byId('client-id').textContent = client.client_id;
    byId('client-secret').textContent = revealed ? client.client_secret : '•'.repeat(16);
    byId('reveal').textContent = revealed ? 'Hide' : 'Show';
    byId('reveal').setAttribute('aria-pressed', String(revealed));
  }
}

/** Shows the ways in which calls can be sent to the chosen API. */
export function renderVariations({ variations, variation }) {
  const choice = byId('variation');
  choice.replaceChildren(...variations.map(({ id, label }) => new Option(label, id)));
  choice.value = variation.id;
}
