// The blocks with commands that do the same in a shell.

import { curl, tokenCommand } from '../commands.mjs';
import { copies, element } from './dom.mjs';

const HIDDEN = '••••••••';

function block(id, title, shown, copied, note = null) {
  const button = element('button', { class: 'quiet', type: 'button', 'aria-label': `Copy: ${title}` }, 'Copy');
  copies(button, () => copied);
  return element('section', { 'aria-label': title },
    element('div', { class: 'block-head' }, element('h3', {}, title), button),
    note ? element('p', { class: 'note' }, note) : null,
    element('pre', { id, tabindex: '0', 'aria-label': title }, shown));
}

/** The token request and the call. The client secret is copied, but not shown. */
export function commandBlocks(call) {
  const { token } = call;
  const command = curl(call);
  return [
    token ? block('token-command', 'The token request', tokenCommand(token, HIDDEN), tokenCommand(token),
      'Sets the variable TOKEN. Copy includes the client secret.') : null,
    block('curl', 'The call as a curl command', command, command),
  ];
}
