// The rule of the gate that has refused a call.

import { element, showJson } from './dom.mjs';

/** `rule` is its place in the gate's configuration, and `rules` says what each rule matches, in order. */
export function ruleBlock(rule, rules) {
  const index = /^rules\[(\d+)\]$/.exec(rule)?.[1];
  const pre = element('pre', { id: 'rule-match', tabindex: '0', 'aria-label': 'What the rule matches' });
  showJson(pre, rules[Number(index)] ?? null);
  return element('section', { 'aria-label': 'Rule' },
    element('h3', {}, 'The rule'),
    element('p', { class: 'note' }, 'The first rule of the gate that matches a request decides. This call matches ',
      element('code', {}, rule), ':'),
    pre);
}
