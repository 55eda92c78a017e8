// The choice of the scopes of new tokens, for an API that has scopes.

import { element } from './dom.mjs';

export class ScopeChoice {
  #fieldset;
  #target;

  /** `fieldset` is shown if there is something to choose; `target` in it gets the checkboxes. */
  constructor(fieldset, target) {
    this.#fieldset = fieldset;
    this.#target = target;
  }

  get #inputs() {
    return [...this.#target.querySelectorAll('input')];
  }

  /** Offers the scopes of an API, the first one chosen. A choice made earlier is kept. */
  offer(scopes = []) {
    this.#fieldset.hidden = scopes.length === 0;
    const offered = this.#inputs.map(({ value }) => value);
    if (this.#fieldset.hidden || offered.join(' ') === scopes.join(' ')) {
      return;
    }
    this.#target.replaceChildren(...scopes.map((scope) => element('label', {},
      element('input', { type: 'checkbox', value: scope }), element('code', {}, scope))));
    this.choose(scopes.slice(0, 1));
  }

  choose(scopes) {
    for (const input of this.#inputs) {
      input.checked = scopes.includes(input.value);
    }
  }

  get chosen() {
    return this.#fieldset.hidden
      ? []
      : this.#inputs.filter(({ checked }) => checked).map(({ value }) => value);
  }
}
