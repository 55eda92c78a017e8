// Swagger UI for the chosen API.

import { byId } from './dom.mjs';

/**
 * Swagger UI disables Execute while a call runs, which takes the focus from it. And it shows all documented
 * answers, which are long: they are folded here.
 */
const changes = ({ React }) => ({
  wrapComponents: {
    execute: (Execute) => (props) => React.createElement(Execute, { ...props, disabled: false }),
    responses: (Responses) => (props) => React.createElement('details', { className: 'documented' },
      React.createElement('summary', {}, 'Documented answers'),
      React.createElement(Responses, props)),
  },
});

/** Shows an API. `document` is its OpenAPI document; `send` gets the arguments of a `fetch`. */
export function showSwagger({ api, document, send }) {
  byId('api-title').textContent = `${api.title} ${api.version}`;
  byId('api-description').textContent = document.info.description;
  window.SwaggerUIBundle({
    spec: document,
    dom_id: '#swagger',
    layout: 'BaseLayout',
    presets: [window.SwaggerUIBundle.presets.apis],
    plugins: [changes],
    docExpansion: 'full',
    defaultModelsExpandDepth: -1,
    tryItOutEnabled: true,
    supportedSubmitMethods: ['get', 'post'],
    validatorUrl: null,
    syntaxHighlight: { activated: false },
    requestInterceptor(request) {
      if (api.accept) {
        request.headers.accept = api.accept;
      }
      request.userFetch = send;
      return request;
    },
  });
}
