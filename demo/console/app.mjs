// The API console: the panel Keys, Swagger UI for the chosen API, and the panel Answer. This file connects
// its parts:
//
//   state.mjs     what is chosen, the clients and the tokens
//   actions.mjs   what a user can do
//   servers.mjs   the portal and the authorization server
//   token.mjs     reads tokens
//   call.mjs      sends the requests of Swagger UI
//   controls.mjs  runs actions on events of controls
//   views/        show the state, one file for each part of the page

import { Actions } from './actions.mjs';
import { sender } from './call.mjs';
import { Controls } from './controls.mjs';
import { AuthorizationServer, Portal, settings } from './servers.mjs';
import { State } from './state.mjs';
import { showAnswer, showFailure } from './views/answer.mjs';
import { byId, copies } from './views/dom.mjs';
import { chosen, notice, renderKeys, segments, validityPeriod } from './views/keys.mjs';
import { label } from './views/labels.mjs';
import { ScopeChoice } from './views/scopes.mjs';
import { Swagger } from './views/swagger.mjs';
import { renderLife, renderToken } from './views/token.mjs';

async function start() {
  const state = new State(await settings(), location.protocol);
  const { apis, servers, authorizationServer } = state.settings;
  const actions = new Actions(state, new Portal(), new AuthorizationServer(authorizationServer));
  const scopes = new ScopeChoice(byId('scopes'), byId('scope-choices'));

  const withValidity = (action) => {
    const validity = validityPeriod();
    return validity === null ? '' : action(validity);
  };
  const stepUp = (wanted) => withValidity((validity) => {
    scopes.choose(wanted);
    return actions.stepUp(scopes.chosen, validity);
  });
  const context = () => ({
    token: state.token,
    api: state.api,
    certificate: state.server.certificate,
    stepUp: state.api.scopes
      ? (button, wanted) => controls.on(button, 'click', () => stepUp(wanted))
      : null,
  });
  const swagger = new Swagger(state, sender(context, { answer: showAnswer, failure: showFailure }));
  const render = () => {
    renderKeys(state);
    renderToken(state);
    swagger.authorize();
  };
  const controls = new Controls(byId('keys-title').closest('.keys'), { notice, render });

  byId('api-choice').append(...apis.map(({ name, title, version }) => (
    new Option(`${title} ${version}`, name))));
  segments(byId('server-choice'), 'server', servers.map(({ name }) => (
    { value: name, label: name })), state.server.name);

  controls.on(byId('api-choice'), 'change', async () => {
    state.api = apis.find(({ name }) => name === byId('api-choice').value);
    scopes.offer(state.api.scopes);
    await swagger.show();
    return '';
  });
  controls.on(byId('server-choice'), 'change', async () => {
    state.server = servers.find(({ name }) => name === chosen(byId('server-choice')));
    await swagger.show();
  });
  controls.on(byId('key-type'), 'change', () => {
    state.keytype = chosen(byId('key-type'));
    state.revealed = false;
    return '';
  });
  controls.on(byId('generate'), 'submit', () => (
    withValidity((validity) => actions.generate(scopes.chosen, validity))));
  controls.on(byId('subscribed'), 'change', () => (
    actions.subscribe(byId('subscribed').checked, scopes.chosen)));
  controls.on(byId('scopes'), 'change', () => actions.chooseScopes(scopes.chosen));
  controls.on(byId('tamper'), 'click', () => actions.tamper());
  controls.on(byId('expire'), 'click', async () => {
    const said = await actions.letExpire(scopes.chosen);
    const used = state.token;
    setTimeout(() => {
      if (state.token === used) {
        notice('The token has expired.');
        renderLife(state);
      }
    }, used.remaining() * 1000);
    return said;
  });
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

  label(byId('swagger'));
  await swagger.show();
  render();
  setInterval(() => renderLife(state), 500);
}

start().catch((error) => {
  byId('fatal').textContent = `The console cannot start: ${error.message}. Load the page again.`;
  byId('fatal').hidden = false;
});
