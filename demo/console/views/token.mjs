// The token in the panel Keys, and the one that calls are sent with.

import { KEY_TYPES } from '../state.mjs';
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

function renderParts({ text, header, claims, isOpaque }) {
  byId('jwt').replaceChildren(...text.split('.').flatMap((part, index) => {
    const span = element('span', {}, part);
    return index === 0 ? [span] : ['.', span];
  }));
  byId('decoded').hidden = isOpaque;
  byId('opaque-hint').hidden = !isOpaque;
  byId('tamper').disabled = isOpaque;
  showJson(byId('token-header'), header);
  showJson(byId('token-claims'), claims);
}

/** Shows the token, and above Swagger UI which one calls are sent with. */
export function renderToken(state) {
  const { token, keytype, disagreement } = state;
  byId('token').hidden = !token;
  if (token) {
    renderParts(token);
  }
  byId('disagreement').hidden = !disagreement;
  byId('disagreement').textContent = disagreement ?? '';
  renderLife(state);
  const target = byId('authorization');
  target.dataset.set = String(Boolean(token));
  target.textContent = token
    ? `${KEY_TYPES[keytype]} · ${token.key ? 'DPoP' : 'Bearer'} ${token.short}`
    : 'No token yet: calls are sent without one';
}
