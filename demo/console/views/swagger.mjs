// Swagger UI for the chosen API.

import { openapi } from '../servers.mjs';
import { byId } from './dom.mjs';

export class Swagger {
  #state;
  #send;
  #ui = null;

  /** `send` gets the arguments of a `fetch` and returns its answer. */
  constructor(state, send) {
    this.#state = state;
    this.#send = send;
  }

  /** Shows the chosen API of the chosen server. */
  async show() {
    const { api, server } = this.#state;
    const send = this.#send;
    const document = await openapi(api, server);
    byId('api-title').textContent = `${api.title} ${api.version}`;
    byId('api-description').textContent = document.info.description;
    this.#ui = window.SwaggerUIBundle({
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
      onComplete: () => this.authorize(),
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

  /** Makes Swagger UI send the current token, or none. */
  authorize() {
    const { token } = this.#state;
    if (token) {
      this.#ui?.preauthorizeApiKey('bearer', token.text);
    } else if (this.#ui?.authSelectors.authorized()?.size) {
      this.#ui.authActions.logout(['bearer']);
    }
  }
}
