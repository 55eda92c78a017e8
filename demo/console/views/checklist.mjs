// The checks of the gate, and which of them a call has passed.

import { element } from './dom.mjs';

const NAMES = {
  request: 'Request',
  token: 'One well-formed token',
  issuer: 'Issuer',
  audience: 'Audience',
  time: 'Time',
  signature: 'Signature',
  revocation: 'Revocation',
  sender: 'Sender',
};
const OUTCOMES = {
  passed: ['✓', 'passed'],
  failed: ['✗', 'failed'],
  unknown: ['?', 'could not be checked'],
  skipped: ['–', 'not checked'],
};

/** `checks` are those of `checklist`. */
export function checklistBlock(checks, { api }) {
  const name = (step) => NAMES[step] ?? (api.scopes ? 'Scopes' : 'Subscription');
  return element('section', { 'aria-label': 'Checks' },
    element('h3', {}, 'The gate’s checks'),
    element('ol', { id: 'checks' }, ...checks.map(({ step, outcome }) => {
      const [sign, text] = OUTCOMES[outcome];
      return element('li', { 'data-outcome': outcome, 'data-step': step },
        element('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
        element('span', {}, name(step)), element('small', {}, text));
    })));
}
