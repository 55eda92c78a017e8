// The panel Answer: who has answered a call, why, which checks it has passed, and how to repeat it.

import { metadataUrl } from '../challenge.mjs';
import { checklist, read } from '../decision.mjs';
import { answerNotes, explanation, failureText } from '../explanation.mjs';
import { challengeBlock } from './challenge.mjs';
import { checklistBlock } from './checklist.mjs';
import { commandBlocks } from './commands.mjs';
import { byId, element, externalLink, showJson } from './dom.mjs';
import { metadataBlock } from './metadata.mjs';
import { ruleBlock } from './rule.mjs';

/** The reason phrases of statuses (RFC 9110, section 15). */
const PHRASES = {
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
const DECIDERS = { gate: 'the gate', api: 'the API', envoy: 'Envoy' };

export function kind(status) {
  if (status < 300) {
    return 'good';
  }
  return status === 403 || status >= 500 ? 'warn' : 'bad';
}

function bodyBlock(text, body) {
  const pre = element('pre', { id: 'body', tabindex: '0', 'aria-label': 'Body of the answer' });
  if (body === null) {
    pre.textContent = text;
  } else {
    showJson(pre, body);
  }
  return element('section', { 'aria-label': 'Body' }, element('h3', {}, 'Body'), pre);
}

/** The request that the panel is about. */
function requestLine({ method, url, token, variation }) {
  const how = variation.id === 'normal' ? '' : `, ${variation.label}`;
  return element('p', { class: 'request' },
    element('code', {}, `${method} ${url}`),
    element('small', {}, `${token ? `with the token ${token.short}` : 'without a token'}${how}`));
}

function verdict(status, title, small = '', name = 'verdict') {
  return element('p', { class: name },
    element('span', {}, element('strong', { class: 'status' }, status), ` ${title}`),
    element('small', {}, small));
}

/** What screen readers announce, and what stands below it. */
function content(call, { reasons, rules, bind }) {
  const { answer, failure, url } = call;
  if (failure) {
    const secure = failure === 'unreachable' && url.startsWith('https:');
    return ['bad', [
      requestLine(call),
      verdict('—', 'No answer'),
      element('p', {}, failureText(call)),
      secure ? element('p', {}, externalLink(new URL(url).origin)) : null,
    ], commandBlocks(call)];
  }
  if (!answer) {
    return ['pending', [
      requestLine(call), verdict('…', 'Waiting for the answer', '', 'verdict pending'),
    ], []];
  }
  const result = read(answer, reasons);
  const { challenges, body, by, code, rule } = result;
  const checks = checklist(result, { opaque: call.token?.isOpaque, status: answer.status });
  return [kind(answer.status), [
    requestLine(call),
    verdict(String(answer.status), PHRASES[answer.status] ?? '', `${answer.milliseconds} ms`),
    element('p', { class: 'decided' }, 'Answered by ', element('b', { id: 'decided-by' }, DECIDERS[by]),
      ...(code ? [', reason ', element('code', { id: 'reason' }, code)] : []),
      ...(rule ? [', by ', element('code', { id: 'rule' }, rule)] : [])),
    ...[...explanation(call, result), ...answerNotes(call, result)]
      .map((sentence) => element('p', {}, sentence)),
  ], [
    rule ? ruleBlock(rule, rules) : null,
    checks ? checklistBlock(checks, call, result) : null,
    challenges.length > 0 ? challengeBlock(challenges, call.api.scopes ? bind : null) : null,
    metadataUrl(challenges) ? metadataBlock(metadataUrl(challenges)) : null,
    ...commandBlocks(call),
    bodyBlock(answer.text, body),
  ]];
}

export class AnswerView {
  #known;
  #drawn = null;

  /**
   * `reasons` are those for refusals, by their codes; `rules` says what each rule of the gate matches;
   * `bind(button, scopes)` makes a button get a token with these scopes.
   */
  constructor({ reasons, rules, bind }) {
    this.#known = { reasons, rules, bind };
  }

  /** Shows the call that is chosen, and what has changed since it was sent. */
  render(calls) {
    const call = calls.shown;
    if (!call) {
      return;
    }
    const panel = byId('answer').closest('.answer');
    const changes = calls.changesSince(call);
    panel.classList.toggle('stale', changes.length > 0);
    byId('stale').hidden = changes.length === 0;
    byId('stale').textContent = `An earlier answer: since then, you have changed ${changes.join(' and ')}.`;
    const drawing = `${call.number} ${Boolean(call.answer)} ${call.failure}`;
    if (drawing === this.#drawn) {
      return;
    }
    this.#drawn = drawing;
    const [name, summary, details] = content(call, this.#known);
    panel.dataset.kind = name;
    byId('answer').replaceChildren(...summary.filter(Boolean));
    byId('answer-details').replaceChildren(...details.filter(Boolean));
    panel.setAttribute('aria-busy', String(name === 'pending'));
    scrollTo(panel);
  }
}

/** On a narrow screen the panel stands below the request. */
function scrollTo(panel) {
  const { top, bottom } = panel.getBoundingClientRect();
  if (top > innerHeight - 80 || bottom < 80) {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    panel.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
  }
}
