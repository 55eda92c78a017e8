// The sample APIs that the filter protects. One validates North American phone numbers, the other looks up
// area codes; openapi/ describes both.
//
//   GET /phoneverify/1.0.0/CheckPhoneNumber?PhoneNumber=18006785432&LicenseKey=0
//   GET /areacodes/1.0.0/AreaCode?Code=212
//
// They do not check tokens: the filter in front of them does.

import { createServer } from 'node:http';

import { SERVER, listen } from '../tools/listen.mjs';

const CHECK = '/phoneverify/1.0.0/CheckPhoneNumber';
const LOOK_UP = '/areacodes/1.0.0/AreaCode';

// The area codes with a known region.
const REGIONS = new Map([
  ['201', 'New Jersey'], ['202', 'Washington, D.C.'], ['206', 'Washington'], ['212', 'New York'],
  ['213', 'California'], ['305', 'Florida'], ['312', 'Illinois'], ['404', 'Georgia'],
  ['415', 'California'], ['416', 'Ontario'], ['512', 'Texas'], ['514', 'Quebec'],
  ['602', 'Arizona'], ['604', 'British Columbia'], ['617', 'Massachusetts'], ['702', 'Nevada'],
]);
const CANADIAN = new Set(['416', '514', '604']);
const TOLL_FREE = new Set(['800', '833', '844', '855', '866', '877', '888']);

// Ten digits, optionally after the country code 1. Area code and exchange do not start with 0 or 1.
const NUMBER = /^1?([2-9]\d\d)([2-9]\d\d)(\d{4})$/;

/** The answer about a phone number, which is a string of digits. */
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

/** The answer about an area code, which is three digits; `null` if it is unknown. */
function lookUp(code) {
  if (TOLL_FREE.has(code)) {
    return { areaCode: code, tollFree: true, country: null, region: null };
  }
  const country = CANADIAN.has(code) ? 'Canada' : 'United States';
  return REGIONS.has(code)
    ? { areaCode: code, tollFree: false, country, region: REGIONS.get(code) }
    : null;
}

/** The operations by path: from a query to an answer's status and body. */
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
      : [404, { error: 'not_found', error_description: 'This area code is unknown' }];
  }],
]);

/** The status and body of the answer to a request. */
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
 * Starts the APIs on the loopback address. `log` gets one line per request, with the method and the path
 * but no header and no query.
 */
export async function startSampleApi({ port, log }) {
  const server = createServer(SERVER, (request, response) => {
    // A request target such as `//` is not a valid URL.
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
