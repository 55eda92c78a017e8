// The API console: the panel Keys, Swagger UI for the chosen API, and the panel Answer. This file connects
// its parts:
//
//   state.mjs        what is chosen, the clients and the tokens
//   actions.mjs      what a user can do
//   servers.mjs      the portal and the authorization server
//   token.mjs        reads tokens
//   proof.mjs        proves that the page has the key of a bound token
//   variations.mjs   the ways of sending calls
//   call.mjs         sends calls and keeps the answers
//   decision.mjs     reads answers: who has decided, and why; challenge.mjs reads challenges
//   explanation.mjs  puts that into sentences; reasons.json has one for each reason of the gate
//   commands.mjs     puts calls into commands for a shell
//   controls.mjs     runs actions on events of controls
//   views/           show the state, one file for each part of the page

import { Actions } from './actions.mjs';
import { Calls } from './call.mjs';
import { Controls } from './controls.mjs';
import { AuthorizationServer, Portal, openapi, reasons, sentence, settings } from './servers.mjs';
import { State } from './state.mjs';
import { AnswerView } from './views/answer.mjs';
import { byId, copies } from './views/dom.mjs';
import { renderHistory } from './views/history.mjs';
import {
  chosen, notice, renderKeys, renderVariations, segments, validityPeriod,
} from './views/keys.mjs';
import { label } from './views/labels.mjs';
import { chosenScopes, renderScopes } from './views/scopes.mjs';
import { showSwagger } from './views/swagger.mjs';
import { renderLife, renderToken } from './views/token.mjs';

/** Makes the controls of the page run actions. */
function connect(controls, actions, state, show) {
  const { apis, servers } = state.settings;
  const generate = (action) => {
    const validity = validityPeriod();
    if (validity === null) {
      return '';
    }
    state.validity = validity;
    return action();
  };

  controls.on(byId('api-choice'), 'change', async (name) => {
    const api = apis.find((each) => each.name === name);
    await show(api, state.server);
    state.chooseApi(api);
  }, () => byId('api-choice').value);
  controls.on(byId('server-choice'), 'change', async (name) => {
    const server = servers.find((each) => each.name === name);
    await show(state.api, server);
    state.server = server;
  }, () => chosen(byId('server-choice')));
  controls.on(byId('key-type'), 'change', (keytype) => {
    state.chooseKeytype(keytype);
    state.revealed = false;
  }, () => chosen(byId('key-type')));
  controls.on(byId('variation'), 'change', (id) => {
    state.variation = state.variations.find((each) => each.id === id) ?? state.variation;
  }, () => byId('variation').value);
  controls.on(byId('subscribed'), 'change', (wanted) => actions.subscribe(wanted),
    () => byId('subscribed').checked);
  controls.on(byId('scopes'), 'change', (scopes) => actions.chooseScopes(scopes), chosenScopes);
  controls.on(byId('generate'), 'submit', () => generate(() => actions.generate()));
  controls.on(byId('tamper'), 'click', () => actions.tamper());
  controls.on(byId('expire'), 'click', async () => {
    const said = await actions.letExpire();
    const used = state.token;
    setTimeout(() => {
      if (state.token === used) {
        notice('The token has expired.');
        renderLife(state);
      }
    }, used.remaining() * 1000);
    return said;
  });
  controls.on(byId('other-audience'), 'click', () => actions.otherAudience());
  controls.on(byId('opaque'), 'click', () => actions.opaque());
  controls.on(byId('bound'), 'click', () => actions.bound());
  controls.on(byId('revoke'), 'click', () => actions.revoke());
  controls.on(byId('change-secret'), 'click', () => actions.changeSecret());
  controls.on(byId('reveal'), 'click', () => { state.revealed = !state.revealed; });

  const copied = {
    'client-id': () => state.client.client_id,
    'client-secret': () => state.client.client_secret,
    jwt: () => state.token.text,
  };
  for (const button of document.querySelectorAll('[data-copy]')) {
    copies(button, copied[button.dataset.copy]);
  }
  return (button, scopes) => controls.on(button, 'click', () => generate(() => actions.stepUp(scopes)));
}

async function start() {
  const [published, known] = await Promise.all([settings(), reasons()]);
  const state = new State(published, location.protocol);
  const { apis, servers, authorizationServer } = published;
  const actions = new Actions(state, new Portal(), new AuthorizationServer(authorizationServer));

  const render = () => {
    renderKeys(state);
    renderScopes(state);
    renderVariations(state);
    renderToken(state);
    answers.render(calls);
    renderHistory(calls, known);
  };
  const calls = new Calls(state, render);
  const show = async (api, server) => {
    const document = await openapi(api, server);
    showSwagger({ api, document, send: calls.send });
  };
  const controls = new Controls(byId('keys-title').closest('.keys'), { notice, render });
  const bind = connect(controls, actions, state, show);
  const answers = new AnswerView({ reasons: known, rules: published.rules, bind });

  byId('api-choice').append(...apis.map(({ name, title, version }) => (
    new Option(`${title} ${version}`, name))));
  segments(byId('server-choice'), 'server', servers.map(({ name }) => (
    { value: name, label: name })), state.server.name);
  label(byId('swagger'));
  await show(state.api, state.server);
  render();
  setInterval(() => renderLife(state), 500);
  // Until here, a control would have done nothing.
  document.querySelectorAll('[inert]').forEach((part) => { part.inert = false; });
}

start().catch((error) => {
  byId('fatal').textContent = `The console cannot start. ${sentence(error)} Load the page again.`;
  byId('fatal').hidden = false;
});
