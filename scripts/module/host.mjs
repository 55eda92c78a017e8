// What a proxy is to the module (proxy-wasm ABI 0.2.1), as far as a rehearsal needs it. Everything
// here is the same whenever it runs, the time and the random numbers too, so that what is found out
// is the same.

import { verify } from 'node:crypto';

const OK = 0;
const NOT_FOUND = 1;
const CAS_MISMATCH = 8;
const PLUGIN_CONFIGURATION = 7;
const CALLOUT_BODY = 4;
const REQUEST_HEADERS = 0;
const CALLOUT_HEADERS = 6;
const CONTINUE = 0;
const ROOT = 1;
const LOG_ERROR = 4;
/** Nothing here takes so many ticks. */
const TICKS = 100;

export class Host {
  #exports = null;
  #memory = null;
  #configuration;
  #answers;
  #isGood;
  #clock = 1_800_000_000_000_000_000n;
  #random = 0;
  #shared = new Map();
  #callouts = [];
  #streams = new Map();
  #context = ROOT;
  #lastContext = ROOT;
  #lastCallout = 0;
  #lastMetric = 0;
  #callout = null;
  #complaints = [];

  /**
   * Starts the module with a configuration. Callouts get the body that `answers` gives for their
   * path; `isGood` tells of a signed text whether it counts as signed, without a look at the signature.
   * Throws an `Error` where the module does not start.
   */
  constructor(module, configuration, { answers, isGood }) {
    this.#configuration = Buffer.from(JSON.stringify(configuration));
    this.#answers = answers;
    this.#isGood = isGood;
    const instance = new WebAssembly.Instance(module, this.#imports(module));
    this.#exports = instance.exports;
    this.#memory = instance.exports.memory;
    this.#exports._initialize();
    this.#exports.proxy_on_context_create(ROOT, 0);
    if (!this.#exports.proxy_on_vm_start(ROOT, 0)
      || !this.#exports.proxy_on_configure(ROOT, this.#configuration.length)) {
      throw new Error(`the module does not start: ${this.#complaints.join('; ')}`);
    }
    this.#settle(() => false);
  }

  /** The numbers of 32 bits that are in memory from `base` on, as they are there: they can be set. */
  numbers(base, count) {
    return new Uint32Array(this.#memory.buffer, base, count);
  }

  /** The time in seconds since 1970. */
  get now() {
    return Number(this.#clock / 1_000_000_000n);
  }

  /** Sends a request with these headers; answers with its status, 200 where it has gone on. */
  request(headers) {
    this.#lastContext += 1;
    const id = this.#lastContext;
    const stream = { headers, status: null };
    this.#streams.set(id, stream);
    this.#exports.proxy_on_context_create(id, ROOT);
    this.#context = id;
    if (this.#exports.proxy_on_request_headers(id, headers.length, 1) === CONTINUE) {
      stream.status = 200;
    }
    if (stream.status === null) {
      this.#settle(() => stream.status !== null);
    }
    this.#exports.proxy_on_delete(id);
    this.#streams.delete(id);
    return stream.status;
  }

  /** Ticks and answers callouts, until it is enough or nothing more comes. */
  #settle(isEnough) {
    for (let ticks = 0; ticks < TICKS && !isEnough(); ticks += 1) {
      this.#clock += 10_000_000n;
      this.#context = ROOT;
      this.#exports.proxy_on_tick(ROOT);
      for (const callout of this.#callouts.splice(0)) {
        this.#callout = { headers: [[':status', '200']], body: this.#answers(callout.path) };
        this.#context = ROOT;
        const { length } = this.#callout.body;
        this.#exports.proxy_on_http_call_response(ROOT, callout.id, 1, length, 0);
      }
    }
  }

  #imports(module) {
    const named = {
      env: this.#proxy(),
      wasi_snapshot_preview1: this.#wasi(),
    };
    const imports = { env: {}, wasi_snapshot_preview1: {} };
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from][name] = named[from][name] ?? (() => OK);
    }
    return imports;
  }

  #proxy() {
    return {
      proxy_log: (level, text, length) => {
        if (level >= LOG_ERROR) {
          this.#complaints.push(this.#text(text, length));
        }
        return OK;
      },
      proxy_get_buffer_bytes: (kind, start, most, to, lengthTo) => {
        const bytes = { [PLUGIN_CONFIGURATION]: this.#configuration, [CALLOUT_BODY]: this.#callout?.body };
        return this.#give(bytes[kind], to, lengthTo);
      },
      proxy_get_header_map_pairs: (kind, to, lengthTo) => {
        const { headers } = {
          [REQUEST_HEADERS]: this.#streams.get(this.#context), [CALLOUT_HEADERS]: this.#callout,
        }[kind];
        return this.#give(serialized(headers), to, lengthTo);
      },
      proxy_get_property: () => NOT_FOUND,
      proxy_get_shared_data: (key, keyLength, to, lengthTo, versionTo) => {
        const found = this.#shared.get(this.#text(key, keyLength));
        if (!found) {
          return NOT_FOUND;
        }
        this.#view().setUint32(versionTo, found.version, true);
        return this.#give(found.value, to, lengthTo);
      },
      proxy_set_shared_data: (key, keyLength, value, length, expected) => {
        const name = this.#text(key, keyLength);
        const version = this.#shared.get(name)?.version ?? 0;
        if (expected !== 0 && expected !== version) {
          return CAS_MISMATCH;
        }
        this.#shared.set(name, { value: this.#bytes(value, length), version: version + 1 });
        return OK;
      },
      proxy_define_metric: (kind, name, length, to) => {
        this.#lastMetric += 1;
        this.#view().setUint32(to, this.#lastMetric, true);
        return OK;
      },
      proxy_set_effective_context: (id) => {
        this.#context = id;
        return id === ROOT || this.#streams.has(id) ? OK : NOT_FOUND;
      },
      proxy_continue_stream: () => {
        this.#streams.get(this.#context).status = 200;
        return OK;
      },
      proxy_send_local_response: (status) => {
        this.#streams.get(this.#context).status = status;
        return OK;
      },
      proxy_http_call: (...values) => {
        const [, , headers, headersLength, , , , , , to] = values;
        this.#lastCallout += 1;
        const { ':path': path } = deserialized(this.#bytes(headers, headersLength));
        this.#callouts.push({ id: this.#lastCallout, path });
        this.#view().setUint32(to, this.#lastCallout, true);
        return OK;
      },
      proxy_call_foreign_function: (name, nameLength, argument, length, to, lengthTo) => {
        if (this.#text(name, nameLength) !== 'verify_signature') {
          return OK;
        }
        const isGood = this.#verifies(this.#bytes(argument, length));
        return this.#give(isGood ? GOOD : BAD, to, lengthTo);
      },
    };
  }

  #wasi() {
    return {
      random_get: (to, length) => {
        for (const index of Array(length).keys()) {
          this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) >>> 0;
          this.#view().setUint8(to + index, this.#random >>> 24);
        }
        return OK;
      },
      clock_time_get: (id, precision, to) => {
        this.#clock += 1_000_000n;
        this.#view().setBigUint64(to, this.#clock, true);
        return OK;
      },
      environ_sizes_get: (countTo, sizeTo) => {
        this.#view().setUint32(countTo, 0, true);
        this.#view().setUint32(sizeTo, 0, true);
        return OK;
      },
      proc_exit: () => {
        throw new Error('the module has ended itself');
      },
    };
  }

  /** The answer to an `envoy.source.extensions.common.wasm.VerifySignatureArguments`. */
  #verifies(message) {
    const [hash, key, signature, text] = fieldsOf(message);
    const publicKey = { key, format: 'der', type: 'spki' };
    return this.#isGood(text.toString()) || verify(hash.toString(), text, publicKey, signature);
  }

  /** Gives the module bytes, in memory of its own. */
  #give(bytes, to, lengthTo) {
    const at = this.#exports.proxy_on_memory_allocate(bytes.length);
    new Uint8Array(this.#memory.buffer).set(bytes, at);
    this.#view().setUint32(to, at, true);
    this.#view().setUint32(lengthTo, bytes.length, true);
    return OK;
  }

  #view() {
    return new DataView(this.#memory.buffer);
  }

  #bytes(at, length) {
    return Buffer.from(this.#memory.buffer.slice(at, at + length));
  }

  #text(at, length) {
    return this.#bytes(at, length).toString();
  }
}

/** An `envoy.source.extensions.common.wasm.VerifySignatureResult`. */
const GOOD = Buffer.from([0x08, 0x01]);
const BAD = Buffer.from('\x12\x03bad');

/** The fields of a protobuf message that has nothing but texts in it, in the order of their numbers. */
function fieldsOf(message) {
  const fields = [];
  let at = 0;
  while (at < message.length) {
    const number = message[at] >> 3;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      at += 1;
      length |= (message[at] & 127) << shift;
      if (message[at] < 128) {
        break;
      }
    }
    fields[number - 1] = message.subarray(at + 1, at + 1 + length);
    at += 1 + length;
  }
  return fields;
}

/** Headers as the ABI has them: how many, all sizes, and all texts, each with a 0 after it. */
function serialized(headers) {
  const texts = headers.flat().map((text) => Buffer.from(text));
  const sizes = Buffer.alloc(4 + 4 * texts.length);
  sizes.writeUInt32LE(headers.length);
  texts.forEach(({ length }, index) => sizes.writeUInt32LE(length, 4 + 4 * index));
  return Buffer.concat([sizes, ...texts.flatMap((text) => [text, Buffer.from([0])])]);
}

/** Headers by their names. */
function deserialized(bytes) {
  const count = bytes.readUInt32LE();
  let at = 4 + 8 * count;
  const texts = Array.from({ length: 2 * count }, (_, index) => {
    const length = bytes.readUInt32LE(4 + 4 * index);
    at += length + 1;
    return bytes.toString('utf8', at - length - 1, at - 1);
  });
  return Object.fromEntries(Array.from({ length: count }, (_, index) => (
    texts.slice(2 * index, 2 * index + 2)
  )));
}
