// The token in the panel Keys, and the one that Swagger UI is said to send.

import { LABELS } from '../actions.mjs';
import { byId, element, showJson } from './dom.mjs';

const FATES = { tampered: 'Tampered', revoked: 'Revoked', outdated: 'Outdated' };

function tokenState(token) {
  if (token.fate) {
    return [FATES[token.fate], 'bad'];
  }
  return token.expired ? ['Expired', 'bad'] : ['In use', 'good'];
}

/** Shows for how long the token lives. */
export function renderLife({ token }) {
  if (!token) {
    return;
  }
  const [label, kind] = tokenState(token);
  byId('token-state').textContent = label;
  byId('token-state').className = `badge ${kind}`;
  byId('life').value = token.share;
  byId('life').dataset.kind = token.share < 0.2 ? 'low' : 'good';
  byId('life-text').textContent = token.life;
}

/** Shows the token, and above Swagger UI which one calls are sent with. */
export function renderToken(state) {
  const { token, keytype } = state;
  byId('token').hidden = !token;
  if (token) {
    byId('jwt').replaceChildren(...token.text.split('.').flatMap((part, index) => {
      const span = element('span', {}, part);
      return index === 0 ? [span] : ['.', span];
    }));
    showJson(byId('token-header'), token.header);
    showJson(byId('token-claims'), token.claims);
  }
  renderLife(state);
  const target = byId('authorization');
  target.dataset.set = String(Boolean(token));
  target.textContent = token
    ? `${LABELS[keytype]} · Bearer ${token.short}`
    : 'No token yet: calls go without one';
}
