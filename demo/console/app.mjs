// The API console: the panel Keys, Swagger UI for the chosen API, and the panel Answer.
//
//   servers.mjs   talks to the portal and the authorization server
//   token.mjs     reads tokens
//   scopes.mjs    the scopes of new tokens
//   answer.mjs    explains answers
//   challenge.mjs shows what a refusal asks for
//   metadata.mjs  loads the document that it names
//   labels.mjs    labels fields of Swagger UI
//   dom.mjs       creates elements

import { showAnswer, showFailure } from './answer.mjs';
import { byId, copies, showJson } from './dom.mjs';
import { label } from './labels.mjs';
import { ScopeChoice } from './scopes.mjs';
import { AuthorizationServer, Portal, ServerError, openapi, settings } from './servers.mjs';
import { Token } from './token.mjs';

/** The lifetime of the token of "Let it expire", in seconds. */
const SHORT_LIFE = 3;

const portal = new Portal();
const scopes = new ScopeChoice(byId('scopes'), byId('scope-choices'));

/** The state of the page, kept in memory only. */
const state = {
  /** The settings that the portal publishes. */
  settings: null,
  authorizationServer: null,
  /** The current choices. */
  api: null,
  server: null,
  keytype: 'PRODUCTION',
  /** The subscribed APIs, as `{name, version}`. */
  subscribed: [],
  /** The clients by key type. */
  clients: new Map(),
  /** The tokens in use, by API and key type. */
  tokens: new Map(),
  revealed: false,
  swagger: null,
};

const place = () => `${state.api.name}/${state.keytype}`;
const client = () => state.clients.get(state.keytype) ?? null;
const token = () => state.tokens.get(place()) ?? null;
const subscribed = () => state.subscribed.some(({ name }) => name === state.api.name);

const LABELS = { PRODUCTION: 'Production', SANDBOX: 'Sandbox' };
const FATES = { tampered: 'Tampered', revoked: 'Revoked', outdated: 'Outdated' };

/* Actions */

/** Runs an action on an event of a control: one action at a time, with errors shown to the user. */
function does(control, event, action) {
  control.addEventListener(event, async (occurrence) => {
    if (event === 'submit') {
      occurrence.preventDefault();
    }
    const panel = byId('keys-title').closest('.keys');
    if (panel.getAttribute('aria-busy') === 'true') {
      return;
    }
    panel.setAttribute('aria-busy', 'true');
    try {
      const said = await action();
      if (said !== undefined) {
        notice(said);
      }
    } catch (error) {
      const problem = error instanceof ServerError
        ? `${error.message}.` : `The console failed: ${error.message}.`;
      notice(problem, true);
    } finally {
      panel.removeAttribute('aria-busy');
      render();
    }
  });
}

function notice(text, problem = false) {
  byId('notice').textContent = text;
  byId('notice').classList.toggle('problem', problem);
}

/** The validity period in the form; `null`, with a message to the user, if it is invalid. */
function validityPeriod() {
  const text = byId('validity').value.trim().replace('−', '-');
  const good = text === '-1' || /^[1-9]\d{0,8}$/.test(text);
  const problem = byId('validity-problem');
  problem.hidden = good;
  problem.textContent = good ? '' : 'Give a whole number of seconds, or −1 for a token without end.';
  byId('validity').setAttribute('aria-invalid', String(!good));
  if (!good) {
    byId('validity').focus();
  }
  return good ? text : null;
}

/** Gets a token for the current choices and uses it. */
async function useNewToken(validity) {
  const text = await state.authorizationServer.token(client(), state.api, scopes.chosen, validity);
  state.tokens.set(place(), new Token(text));
}

async function generate() {
  const validity = validityPeriod();
  if (validity === null) {
    return '';
  }
  const first = !client();
  if (first) {
    state.clients.set(state.keytype, await portal.generateKeys(state.keytype, state.subscribed));
  }
  await useNewToken(validity);
  const label = LABELS[state.keytype].toLowerCase();
  return first
    ? `A ${label} key and a token are made. The console sends the token from now on.`
    : `The console sends a new ${label} token from now on.`;
}

async function subscribe() {
  const { name, version, title } = state.api;
  const others = state.subscribed.filter((api) => api.name !== name);
  const wanted = byId('subscribed').checked ? [...others, { name, version }] : others;
  for (const [keytype, existing] of state.clients) {
    state.clients.set(keytype, await portal.subscribe(existing, wanted));
  }
  state.subscribed = wanted;
  const renewed = await renew();
  const what = subscribed() ? `Subscribed to ${title}` : `No longer subscribed to ${title}`;
  return renewed ? `${what}. The console sends a new token that says so.` : `${what}.`;
}

/** Replaces the token, since its claims are those of before; returns `false` if there is none. */
async function renew() {
  if (!token()) {
    return false;
  }
  await useNewToken(token().expires ? Math.max(1, token().claims.exp - token().claims.iat) : '-1');
  return true;
}

async function chooseScopes() {
  return await renew() ? 'The console sends a new token with these scopes.' : '';
}

/** Gets a token with the scopes that a challenge asks for. */
async function stepUp(wanted) {
  scopes.choose(wanted);
  const said = await generate();
  return said && `${said} Its scopes are those of the challenge: call again.`;
}

function tamper() {
  state.tokens.set(place(), token().tampered());
  return 'The claim exp says a day more now, and the signature is that of before.';
}

async function letExpire() {
  await useNewToken(SHORT_LIFE);
  const used = token();
  setTimeout(() => {
    if (token() === used) {
      notice('The token has expired.');
      renderLife();
    }
  }, used.remaining() * 1000);
  return `This token is good for ${SHORT_LIFE} seconds.`;
}

async function revoke() {
  await state.authorizationServer.revoke(client(), token().text);
  token().fate = 'revoked';
  return 'The authorization server has put the token on its list of revoked ones. The gate reads the '
    + 'list every 2 s.';
}

async function changeSecret() {
  const changed = await portal.changeSecret(client());
  state.clients.set(state.keytype, changed);
  for (const [used, each] of state.tokens) {
    if (used.endsWith(`/${state.keytype}`) && each.fate === null) {
      each.fate = 'outdated';
    }
  }
  return 'The old secret is good for nothing any more, nor are tokens that it got. '
    + 'Generate a token with the new one.';
}

/* Rendering */

function tokenState(used) {
  if (used.fate) {
    return [FATES[used.fate], 'bad'];
  }
  return used.expired ? ['Expired', 'bad'] : ['In use', 'good'];
}

function renderLife() {
  const used = token();
  if (!used) {
    return;
  }
  const [label, kind] = tokenState(used);
  byId('token-state').textContent = label;
  byId('token-state').className = `badge ${kind}`;
  byId('life').value = used.share;
  byId('life').dataset.kind = used.share < 0.2 ? 'low' : 'good';
  byId('life-text').textContent = used.life;
}

function renderAuthorization() {
  const used = token();
  const target = byId('authorization');
  target.dataset.set = String(Boolean(used));
  target.textContent = used
    ? `${LABELS[state.keytype]} · Bearer ${used.short}`
    : 'No token yet: calls go without one';
}

function render() {
  const [current, used] = [client(), token()];
  const { title, version } = state.api;
  byId('api-choice').value = state.api.name;
  byId('key-type').querySelector(`[value=${state.keytype}]`).checked = true;
  byId('server-choice').querySelector(`[value=${state.server.name}]`).checked = true;
  byId('subscribed').closest('.switch').hidden = Boolean(state.api.scopes);
  byId('subscribed').checked = subscribed();
  byId('subscription-hint').textContent = `to ${title} ${version}`;
  byId('generate-button').textContent = current ? 'Generate token' : 'Generate keys';
  byId('credentials').hidden = !current;
  if (current) {
    byId('client-id').textContent = current.client_id;
    byId('client-secret').textContent = state.revealed ? current.client_secret : '•'.repeat(16);
    byId('reveal').textContent = state.revealed ? 'Hide' : 'Show';
    byId('reveal').setAttribute('aria-pressed', String(state.revealed));
  }
  byId('token').hidden = !used;
  if (used) {
    byId('jwt').replaceChildren(...used.text.split('.').flatMap((part, index) => {
      const span = document.createElement('span');
      span.textContent = part;
      return index === 0 ? [span] : ['.', span];
    }));
    showJson(byId('token-header'), used.header);
    showJson(byId('token-claims'), used.claims);
  }
  renderLife();
  renderAuthorization();
  authorize();
}

/** Makes Swagger UI send the current token, or none. */
function authorize() {
  if (token()) {
    state.swagger?.preauthorizeApiKey('bearer', token().text);
  } else if (state.swagger?.authSelectors.authorized()?.size) {
    state.swagger.authActions.logout(['bearer']);
  }
}

/** Fills a `fieldset` with radio buttons. */
function segments(target, name, choices, chosen) {
  target.append(...choices.map(({ value, label }) => {
    const input = Object.assign(document.createElement('input'), {
      type: 'radio', name, value, checked: value === chosen,
    });
    const text = document.createElement('span');
    text.textContent = label;
    const wrapper = document.createElement('label');
    wrapper.append(input, text);
    return wrapper;
  }));
}

/* Swagger UI */

/** Sends a request of Swagger UI and shows the answer. */
async function send(url, init) {
  const context = {
    token: token(),
    api: state.api,
    certificate: state.server.certificate,
    stepUp: state.api.scopes
      ? (button, wanted) => does(button, 'click', () => stepUp(wanted))
      : null,
  };
  const sent = { url, headers: { ...init.headers }, body: init.body };
  const start = performance.now();
  let response;
  try {
    response = await fetch(url, {
      ...init,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
  } catch (error) {
    showFailure(sent, context);
    throw error;
  }
  const milliseconds = Math.round(performance.now() - start);
  await showAnswer(sent, response.clone(), milliseconds, context);
  return response;
}

async function showApi() {
  const { api, server } = state;
  const document = await openapi(api, server);
  byId('api-title').textContent = `${api.title} ${api.version}`;
  byId('api-description').textContent = document.info.description;
  state.swagger = window.SwaggerUIBundle({
    spec: document,
    dom_id: '#swagger',
    layout: 'BaseLayout',
    presets: [window.SwaggerUIBundle.presets.apis],
    docExpansion: 'full',
    defaultModelsExpandDepth: -1,
    tryItOutEnabled: true,
    supportedSubmitMethods: ['get', 'post'],
    validatorUrl: null,
    syntaxHighlight: { activated: false },
    onComplete: authorize,
    requestInterceptor(request) {
      // The token must reach only the API, whatever the document contains.
      if (new URL(request.url, location.href).origin !== new URL(server.url).origin) {
        delete request.headers.Authorization;
      }
      if (api.accept) {
        request.headers.accept = api.accept;
      }
      request.userFetch = send;
      return request;
    },
  });
}

/* Start */

async function start() {
  state.settings = await settings();
  state.authorizationServer = new AuthorizationServer(state.settings.authorizationServer);
  const { apis, servers } = state.settings;
  [state.api] = apis;
  state.server = servers.find(({ url }) => url.startsWith(location.protocol)) ?? servers[0];
  state.subscribed = [{ name: state.api.name, version: state.api.version }];

  byId('api-choice').append(...apis.map(({ name, title, version }) => (
    new Option(`${title} ${version}`, name))));
  segments(byId('server-choice'), 'server', servers.map(({ name }) => (
    { value: name, label: name })), state.server.name);

  does(byId('api-choice'), 'change', async () => {
    state.api = apis.find(({ name }) => name === byId('api-choice').value);
    scopes.offer(state.api.scopes);
    await showApi();
    return '';
  });
  does(byId('server-choice'), 'change', async () => {
    const { value } = byId('server-choice').querySelector(':checked');
    state.server = servers.find(({ name }) => name === value);
    await showApi();
  });
  does(byId('key-type'), 'change', () => {
    state.keytype = byId('key-type').querySelector(':checked').value;
    state.revealed = false;
    return '';
  });
  does(byId('generate'), 'submit', generate);
  does(byId('subscribed'), 'change', subscribe);
  does(byId('scopes'), 'change', chooseScopes);
  does(byId('tamper'), 'click', tamper);
  does(byId('expire'), 'click', letExpire);
  does(byId('revoke'), 'click', revoke);
  does(byId('change-secret'), 'click', changeSecret);
  does(byId('reveal'), 'click', () => { state.revealed = !state.revealed; });
  const copied = {
    'client-id': () => client().client_id,
    'client-secret': () => client().client_secret,
    jwt: () => token().text,
  };
  for (const button of document.querySelectorAll('[data-copy]')) {
    copies(button, copied[button.dataset.copy]);
  }

  label(byId('swagger'));
  await showApi();
  render();
  setInterval(renderLife, 500);
}

start().catch((error) => {
  byId('fatal').textContent = `The console cannot start: ${error.message}. Load the page again.`;
  byId('fatal').hidden = false;
});
