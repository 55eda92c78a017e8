// The lines of files with requests: a bearer token alone; or scheme, token, and the name and value of another header,
// separated by tabs. walk.lua reads them too.

/** The line for a request with this credential and possibly another header. */
export function lineOf({ scheme, token, header }) {
  return [scheme, token, ...(header ? [header.name, header.value] : [])].join('\t');
}

/** The headers of the request on a line. */
export function headersOf(line) {
  if (!line.includes('\t')) {
    return { authorization: `Bearer ${line}` };
  }
  const [scheme, token, name, value] = line.split('\t');
  return { authorization: `${scheme} ${token}`, ...(name ? { [name]: value } : {}) };
}
