// The chapter of the walk about a token that is bound to its client's key (DPoP, RFC 9449): a thief cannot use it.

import { join } from 'node:path';

import * as terminal from './terminal.mjs';
import { shown } from '../tools/checkout.mjs';
import { perform } from './walk.mjs';

const PATH = '/phoneverify/1.0.0/CheckPhoneNumber';
const QUERY = '?PhoneNumber=18006785432&LicenseKey=0';

/** Expected answers. `reaches`: the request reaches the API. */
const ADMITTED = { status: 200, reaches: true };
const refused = (error, description) => ({
  status: 401, reaches: false, scheme: 'DPoP', error, description,
});

function steps({ http, issuer, clients, directory }) {
  const [client] = clients;
  const prove = (owner, rest) => `node ${shown(join(import.meta.dirname, 'proof.mjs'))} `
    + `${shown(join(directory, `${owner}.jwk`))} ${rest}`;
  const proof = (variable, owner) => ({
    variable,
    command: `${variable}=$(${prove(owner, `\\\n GET ${http}${PATH} "$BOUND"`)})`,
  });
  const url = `${http}${PATH}${QUERY}`;
  const proven = (variable) => ['Authorization: DPoP $BOUND', `DPoP: $${variable}`];
  return [
    {
      title: 'A token that was requested with a proof names the client\'s key, and passes with a new proof',
      variable: 'BOUND',
      token: [
        `BOUND=$(curl -sS -u ${client.id}:${client.secret} \\`,
        ` -H "DPoP: $(${prove('client', `POST ${issuer}/token`)})" \\`,
        ` -d grant_type=client_credentials ${issuer}/token \\`,
        " | node -p 'JSON.parse(fs.readFileSync(0)).access_token')",
      ].join('\n'),
      then: proof('PROOF', 'client'),
      headers: proven('PROOF'),
      url,
      expected: ADMITTED,
    },
    {
      title: 'A thief who has seen the whole request sends it again: each proof passes once',
      headers: proven('PROOF'),
      url,
      expected: refused('invalid_dpop_proof', 'The DPoP proof has been used before'),
    },
    {
      title: 'A thief uses the token as a bearer token',
      headers: ['Authorization: Bearer $BOUND'],
      url,
      expected: refused('invalid_token', 'The access token is bound to a key and needs the DPoP scheme'),
    },
    {
      title: 'A thief makes a proof with another key',
      then: proof('FORGED', 'thief'),
      headers: proven('FORGED'),
      url,
      expected: refused(
        'invalid_token', 'The access token is bound to another key than that of the DPoP proof',
      ),
    },
    {
      title: 'The client, which has the key, makes a new proof',
      then: proof('NEXT', 'client'),
      headers: proven('NEXT'),
      url,
      expected: ADMITTED,
    },
  ];
}

/** Prints and runs the commands of this chapter, like `walk`. */
export async function boundWalk({ shell, seen, ...running }, numbered) {
  terminal.heading('A token that a thief cannot use');
  terminal.paragraph(
    'The client has a key, and sends a proof with each request: a JWT that names the request and is '
    + 'signed with the key. demo/proof.mjs makes proofs.',
  );

  const atStart = seen();
  const story = steps(running);
  for (const step of story) {
    numbered.begin(step.title);
    numbered.conclude(await perform(step, shell, seen));
  }

  const reached = seen() - atStart;
  const admitted = story.filter((step) => step.expected.reaches).length;
  numbered.begin('The thief has not reached the API');
  terminal.paragraph(`The sample API has logged ${reached} requests, both of the client.`);
  numbered.conclude(
    reached === admitted ? [] : [`expected ${admitted} requests at the API, got ${reached}`],
  );
}
