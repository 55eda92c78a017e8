// The MCP server that `@modelcontextprotocol/conformance` expects: tools, resources and prompts with the names and
// contents of its scenarios, and sessions with streams.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  McpServer, ResourceTemplate, WebStandardStreamableHTTPServerTransport, fromJsonSchema, hostHeaderValidationResponse,
  localhostAllowedHostnames,
} from '@modelcontextprotocol/server';

import { serveWeb } from './web-server.mjs';

/** A PNG of one pixel, and a WAV without samples. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const text = (value) => ({ type: 'text', text: value });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
const embedded = (uri, value, mimeType = 'text/plain') => ({
  type: 'resource', resource: { uri, mimeType, text: value },
});
const strings = (...names) => fromJsonSchema({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  required: names,
});
const form = (properties) => ({ type: 'object', properties, required: [] });
const titled = (...pairs) => pairs.map(([value, title]) => ({ const: value, title }));

/** Tools without arguments, and their contents. */
const CONTENTS = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [image],
  test_audio_content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  test_embedded_resource: [embedded('test://embedded-resource', 'This is an embedded resource content.')],
  test_multiple_content_types: [
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', '{"test":"data","value":123}', 'application/json'),
  ],
};

/** Tools that ask the user to fill in a form, and the fields of the form. */
const FORMS = {
  test_elicitation_sep1034_defaults: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  test_elicitation_sep1330_enums: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled(['value1', 'First Option'], ['value2', 'Second Option']) },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['Option One', 'Option Two'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled(['value1', 'First Choice'], ['value2', 'Second Choice']) } },
  },
};

const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
  },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
};

function addTools(server) {
  const add = (name, handler, inputSchema) => server.registerTool(
    name, { description: `The tool ${name}`, ...(inputSchema && { inputSchema }) }, handler,
  );
  for (const [name, content] of Object.entries(CONTENTS)) {
    add(name, () => ({ content }));
  }
  for (const [name, fields] of Object.entries(FORMS)) {
    add(name, async (context) => {
      const answer = await context.mcpReq.elicitInput({ message: 'Please fill in', requestedSchema: form(fields) });
      return { content: [text(`Elicitation completed: ${JSON.stringify(answer)}`)] };
    });
  }
  add('test_error_handling', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  add('test_tool_with_logging', async (context) => {
    for (const step of ['started', 'is processing', 'completed']) {
      await context.mcpReq.log('info', `Tool execution ${step}`);
      await sleep(50);
    }
    return { content: [text('done')] };
  });
  add('test_tool_with_progress', async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await context.mcpReq.notify({
          method: 'notifications/progress', params: { progressToken, progress, total: 100 },
        });
      }
      await sleep(50);
    }
    return { content: [text('done')] };
  });
  add('test_sampling', async ({ prompt }, context) => {
    const { content } = await context.mcpReq.requestSampling({
      messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100,
    });
    return { content: [text(`LLM response: ${content.text}`)] };
  }, strings('prompt'));
  add('test_elicitation', async ({ message }, context) => {
    const answer = await context.mcpReq.elicitInput({
      message, requestedSchema: form({ username: { type: 'string' }, email: { type: 'string' } }),
    });
    return { content: [text(`User response: ${JSON.stringify(answer)}`)] };
  }, strings('message'));
  add('test_reconnection', async (context) => {
    await sleep(50);
    context.http.closeSSE?.();
    await sleep(50);
    return { content: [text('Reconnection test completed successfully')] };
  });
  add('json_schema_2020_12_tool', () => ({ content: [text('done')] }), fromJsonSchema(SCHEMA_2020_12));
}

function addResources(server) {
  const resource = (uri, name, mimeType, content) => server.registerResource(
    name, uri, { description: name, mimeType }, () => ({ contents: [{ uri, mimeType, ...content }] }),
  );
  resource('test://static-text', 'static text', 'text/plain', {
    text: 'This is the content of the static text resource.',
  });
  resource('test://static-binary', 'static binary', 'image/png', { blob: PNG });
  resource('test://watched-resource', 'watched', 'text/plain', { text: 'watched' });
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { description: 'template' }, (uri, { id }) => ({
    contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true }) }],
  }));
  for (const method of ['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel']) {
    server.server.setRequestHandler(method, () => ({}));
  }
}

function addPrompts(server) {
  const add = (name, contents, ...required) => server.registerPrompt(
    name,
    { description: `The prompt ${name}`, ...(required.length > 0 && { argsSchema: strings(...required) }) },
    (values) => ({ messages: contents(values).map((content) => ({ role: 'user', content })) }),
  );
  add('test_simple_prompt', () => [text('This is a simple prompt for testing.')]);
  add('test_prompt_with_arguments', ({ arg1, arg2 }) => [
    text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
  ], 'arg1', 'arg2');
  add('test_prompt_with_embedded_resource', ({ resourceUri }) => [
    embedded(resourceUri, 'Embedded resource content for testing.'),
    text('Please process the embedded resource above.'),
  ], 'resourceUri');
  add('test_prompt_with_image', () => [image, text('Please analyze the image above.')]);
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['testing'], total: 1, hasMore: false },
  }));
}

function everything() {
  const server = new McpServer({ name: 'everything', version: '1.0.0' }, {
    capabilities: { logging: {}, completions: {}, tools: {}, prompts: {}, resources: { subscribe: true } },
  });
  addTools(server);
  addResources(server);
  addPrompts(server);
  return server;
}

/** Keeps the events of streams, so that a client can ask for those after the last one that it has seen. */
class Events {
  #events = [];

  async storeEvent(streamId, message) {
    this.#events.push({ streamId, message });
    return String(this.#events.length);
  }

  async getStreamIdForEventId(eventId) {
    return this.#events[Number(eventId) - 1]?.streamId;
  }

  async replayEventsAfter(eventId, { send }) {
    const streamId = await this.getStreamIdForEventId(eventId);
    for (const [index, event] of this.#events.entries()) {
      if (index >= Number(eventId) && event.streamId === streamId && event.message.jsonrpc) {
        await send(String(index + 1), event.message);
      }
    }
    return streamId;
  }
}

/** Starts the server. Returns `{ port, authorized, stop() }`; `authorized` lists requests that carried a token. */
export async function startEverythingServer() {
  const sessions = new Map();
  const authorized = [];
  const { port, stop } = await serveWeb(async (request) => {
    if (request.headers.has('authorization')) {
      authorized.push(`${request.method} ${request.url}`);
    }
    const refusal = hostHeaderValidationResponse(request, localhostAllowedHostnames());
    if (refusal) {
      return refusal;
    }
    const known = sessions.get(request.headers.get('mcp-session-id'));
    if (known) {
      return known.handleRequest(request);
    }
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 100,
      onsessioninitialized: (id) => { sessions.set(id, transport); },
      onsessionclosed: (id) => { sessions.delete(id); },
    });
    await everything().connect(transport);
    return transport.handleRequest(request);
  });
  return {
    port,
    authorized,
    async stop() {
      await Promise.all([...sessions.values()].map((transport) => transport.close()));
      await stop();
    },
  };
}
