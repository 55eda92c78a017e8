// The sample APIs that the filter protects. One says whether a North American phone number can be
// one, the other where an area code is; openapi/ describes both.
//
//   GET /phoneverify/1.0.0/CheckPhoneNumber?PhoneNumber=18006785432&LicenseKey=0
//   GET /areacodes/1.0.0/AreaCode?Code=212
//
// They ask for no token and check none: that is what the filter in front of them is for.

import { createServer } from 'node:http';

import { SERVER, listen } from '../tools/listen.mjs';

const CHECK = '/phoneverify/1.0.0/CheckPhoneNumber';
const LOOK_UP = '/areacodes/1.0.0/AreaCode';

// Area codes that it knows by name; the rest of North America has no region here.
const REGIONS = new Map([
  ['201', 'New Jersey'], ['202', 'Washington, D.C.'], ['206', 'Washington'], ['212', 'New York'],
  ['213', 'California'], ['305', 'Florida'], ['312', 'Illinois'], ['404', 'Georgia'],
  ['415', 'California'], ['416', 'Ontario'], ['512', 'Texas'], ['514', 'Quebec'],
  ['602', 'Arizona'], ['604', 'British Columbia'], ['617', 'Massachusetts'], ['702', 'Nevada'],
]);
const CANADIAN = new Set(['416', '514', '604']);
const TOLL_FREE = new Set(['800', '833', '844', '855', '866', '877', '888']);

// Ten digits, neither the area code nor the exchange starting with 0 or 1, with or without the
// country code 1 in front.
const NUMBER = /^1?([2-9]\d\d)([2-9]\d\d)(\d{4})$/;

/** What the API answers about a number, which is a string of digits. */
function check(number) {
  const parts = NUMBER.exec(number);
  if (!parts) {
    return { phoneNumber: number, valid: false, reason: 'Not a North American phone number' };
  }
  const [, area, exchange, line] = parts;
  const tollFree = TOLL_FREE.has(area);
  return {
    phoneNumber: number,
    valid: true,
    formatted: `+1 ${area}-${exchange}-${line}`,
    country: tollFree ? 'United States and Canada' : CANADIAN.has(area) ? 'Canada' : 'United States',
    region: tollFree ? 'Toll-free' : (REGIONS.get(area) ?? null),
    use: tollFree ? 'business' : 'unknown',
  };
}

/** Where an area code is, which is three digits. */
function lookUp(code) {
  if (TOLL_FREE.has(code)) {
    return { areaCode: code, tollFree: true, country: null, region: null };
  }
  const country = CANADIAN.has(code) ? 'Canada' : 'United States';
  return REGIONS.has(code)
    ? { areaCode: code, tollFree: false, country, region: REGIONS.get(code) }
    : null;
}

/** What is served, by path: the answer to a query. */
const OPERATIONS = new Map([
  [CHECK, (query) => {
    const number = query.get('PhoneNumber') ?? '';
    return /^\d{1,20}$/.test(number)
      ? [200, check(number)]
      : [400, { error: 'invalid_phone_number', error_description: 'PhoneNumber must be digits' }];
  }],
  [LOOK_UP, (query) => {
    const code = query.get('Code') ?? '';
    if (!/^\d{3}$/.test(code)) {
      return [400, { error: 'invalid_area_code', error_description: 'Code must be three digits' }];
    }
    const found = lookUp(code);
    return found
      ? [200, found]
      : [404, { error: 'not_found', error_description: 'No such area code is known here' }];
  }],
]);

/** The status and the body that a request gets. */
function answer(method, url) {
  const operation = OPERATIONS.get(url.pathname);
  if (!operation) {
    return [404, { error: 'not_found', error_description: `Try GET ${CHECK}` }];
  }
  return method === 'GET'
    ? operation(url.searchParams)
    : [405, { error: 'method_not_allowed', error_description: 'Only GET is served here' }];
}

/**
 * Starts the APIs on the loopback address. Every request that reaches them is one call of `log`, which
 * gets the method and the path, and never a header or the query.
 */
export async function startSampleApi({ port, log }) {
  const server = createServer(SERVER, (request, response) => {
    // A request line such as `GET // HTTP/1.1` is no URL.
    const url = URL.parse(request.url, 'http://api.invalid') ?? new URL('http://api.invalid');
    const [status, body] = answer(request.method, url);
    log(`${request.method} ${url.pathname} ${status}`);
    request.resume();
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(status === 405 && { allow: 'GET' }),
    });
    response.end(`${JSON.stringify(body)}\n`);
  });
  return { server, port: await listen(server, port) };
}
