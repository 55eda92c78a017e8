// The last answers, to look at again.

import { read } from '../decision.mjs';
import { kind } from './answer.mjs';
import { byId, element } from './dom.mjs';

const DECIDERS = { gate: 'gate', api: 'API', envoy: 'Envoy' };

function line(call, reasons) {
  const { answer, failure, method, url } = call;
  const path = new URL(url).pathname;
  if (!answer) {
    return [failure ? '—' : '…', failure ? `${method} ${path}: no answer` : `${method} ${path}: waiting`, 'bad'];
  }
  const { by, code } = read(answer, reasons);
  return [String(answer.status), `${method} ${path}: ${DECIDERS[by]}${code ? `, ${code}` : ''}`, kind(answer.status)];
}

/** Shows the calls, the newest first. */
export function renderHistory(calls, reasons) {
  byId('history').hidden = calls.all.length === 0;
  byId('history-count').textContent = String(calls.all.length);
  byId('history-list').replaceChildren(...calls.all.map((call) => {
    const [status, text, name] = line(call, reasons);
    const button = element('button', {
      type: 'button', class: 'entry', 'data-kind': name, 'aria-pressed': String(call === calls.shown),
    }, element('b', {}, status), element('span', {}, text),
    element('small', {}, call.time.toLocaleTimeString([], { hour12: false })));
    button.addEventListener('click', () => {
      const index = calls.all.indexOf(call);
      calls.show(call);
      byId('history-list').children[index]?.querySelector('button').focus();
    });
    return element('li', {}, button);
  }));
}
