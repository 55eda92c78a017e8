// What the console does, as commands for a shell.

const VARIABLE = 'TOKEN';
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A text for a shell, with the token in it as a variable. */
function withVariable(text, token) {
  if (!token || !text.includes(token)) {
    return quoted(text);
  }
  const parts = text.split(token).map((part) => part.replace(/["$\\`]/g, '\\$&'));
  return `"${parts.join(`$${VARIABLE}`)}"`;
}

/** A call as a curl command, which takes the token from a variable. */
export function curl({ url, method, headers, body, token, server: { certificate } }) {
  return [
    'curl -i',
    ...(certificate && url.startsWith('https:') ? [`--cacert ${quoted(certificate)}`] : []),
    ...(body || method === 'GET' ? [] : [`-X ${method}`]),
    ...Object.entries(headers)
      // curl sends it by default.
      .filter(([name, value]) => name.toLowerCase() !== 'accept' || value !== '*/*')
      .map(([name, value]) => `-H ${withVariable(`${name}: ${value}`, token?.text)}`),
    ...(body ? [`-d ${quoted(body)}`] : []),
    quoted(url),
  ].join(' \\\n  ');
}

/**
 * The command that sets the variable: a token request, or the token itself if it was tampered with or is bound to
 * a key, which does not leave the page.
 * `secret` is what is shown as the client secret.
 */
export function tokenCommand({ text, original, key, request: { url, client, form } }, secret = client.client_secret) {
  if (original || key) {
    return `${VARIABLE}=${quoted(text)}`;
  }
  return [
    `${VARIABLE}=$(curl -s -u ${quoted(`${client.client_id}:${secret}`)}`,
    ...Object.entries(form).map(([name, value]) => `-d ${quoted(`${name}=${value}`)}`),
    quoted(url),
    '| node -p "JSON.parse(fs.readFileSync(0)).access_token")',
  ].join(' \\\n  ');
}
