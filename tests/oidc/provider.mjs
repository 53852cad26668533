// A real OpenID provider on loopback, over TLS, and a client of it, for `tests/tests/oidc.rs`. It prints one line of JSON
// when it listens, and answers each line of its standard input with one; it ends when that ends.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';

// The provider's notices go to the log, not among the answers.
console.info = console.error;

const [certificate, key] = process.argv.slice(2);

const signingKey = () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' };
};

// What a resource server is called, and the form of its tokens.
const resources = {
  'urn:bank': { audience: 'bank-api', accessTokenFormat: 'jwt' },
  'urn:other': { audience: 'other-api', accessTokenFormat: 'jwt' },
  'urn:opaque': { audience: 'bank-api', accessTokenFormat: 'opaque' },
};

const provider = (issuer) =>
  new Provider(issuer, {
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomUUID()] },
    scopes: ['transfers:read', 'transfers:write'],
    clients: ['plain', 'dpop', 'mtls', 'bank'].map((client_id) => ({
      client_id,
      client_secret: 's:cret',
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: 'ES256',
      redirect_uris: [],
      response_types: [],
      dpop_bound_access_tokens: client_id === 'dpop',
      tls_client_certificate_bound_access_tokens: client_id === 'mtls',
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        // As a proxy in front would hand it on.
        getCertificate: (ctx) => ctx.get('x-client-certificate').replaceAll('|', '\n'),
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, indicator) => {
          if (!resources[indicator]) throw new errors.InvalidTarget();
          return {
            ...resources[indicator],
            scope: 'transfers:read transfers:write',
            accessTokenTTL: 600,
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
  });

let handle;
const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer(tls, (request, response) => handle(request, response));
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `https://localhost:${server.address().port}`;
const renew = () => (handle = provider(issuer).callback());
renew();

// The client's side: its key, its proofs (RFC 9449, 4.2), and what it asks the provider.
const pair = await generateKeyPair('ES256');
const jwk = await exportJWK(pair.publicKey);
const prove = ({ method, url, token, nonce }) =>
  new SignJWT({
    htm: method,
    htu: url,
    nonce,
    ath: token && createHash('sha256').update(token).digest('base64url'),
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
    .setJti(randomUUID())
    .setIssuedAt()
    .sign(pair.privateKey);

const post = async (path, client, form, headers = {}) => {
  const authorization = `Basic ${Buffer.from(`${client}:s%3Acret`).toString('base64')}`;
  const url = `${issuer}${path}`;
  const body = new URLSearchParams(form);
  const response = await fetch(url, { method: 'POST', body, headers: { authorization, ...headers } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text && JSON.parse(text);
};

const commands = {
  rotate: async () => void renew(),
  token: async ({ client, resource, scope, certificate }) => {
    const headers = {};
    if (client === 'dpop') headers.dpop = await prove({ method: 'POST', url: `${issuer}/token` });
    if (certificate) headers['x-client-certificate'] = certificate.replaceAll('\n', '|');
    return post('/token', client, { grant_type: 'client_credentials', resource, scope }, headers);
  },
  revoke: ({ client, token }) => post('/token/revocation', client, { token }),
  proof: prove,
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ issuer });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    say({ done: (await commands[command.do](command)) ?? null });
  } catch (error) {
    say({ failed: String(error) });
  }
}
process.exit(0);
