import { once } from 'node:events';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:tls';
import { createServer, type IncomingMessage } from 'node:http';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { certificate, type Certificate } from '../support/certificates.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { operatorToken, useOperators, type Operators } from '../support/operators.ts';

const CONFIG = 'version: 1\nroutes: []\n';
const CERTIFICATES = "certificates:\n  - { name: anna, role: read, uri: 'spiffe://example.com/*' }\n";
const alternative = [['uri', 'spiffe://example.com/anna']] as const;

let gateway: TestGateway | undefined;
let operators: Operators | undefined;

afterEach(async () => {
  await gateway?.stop();
  operators?.remove();
  [gateway, operators] = [undefined, undefined];
});

describe('a client certificate', () => {
  const authority = certificate({ name: 'operators', isAuthority: true });
  const server = certificate({ name: 'gateway', hosts: ['127.0.0.1'], by: authority });

  async function start(): Promise<(name: string, text: string) => string> {
    operators = useOperators(CERTIFICATES);
    const { folder } = operators;
    const at = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const environment = {
      ...operators.environment,
      ADMIN_CERT_FILE: at('cert.pem', server.cert),
      ADMIN_KEY_FILE: at('key.pem', server.key),
      ADMIN_CLIENT_CA_FILE: at('ca.pem', authority.cert),
    };
    gateway = await startGateway({ config: CONFIG, environment });
    return at;
  }

  async function statusOf({ cert, key }: Certificate): Promise<number | undefined> {
    const request = secureRequest(`${gateway?.adminUrl}/whoami`, {
      ca: authority.cert,
      cert,
      key,
      agent: false,
    });
    const [answer] = (await once(request.end(), 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  }

  it.each<[string, number, Parameters<typeof certificate>[0]]>([
    ['that is valid', 200, { name: 'x', alternative }],
    ['for clients', 200, { name: 'x', alternative, usage: 'client' }],
    ['for servers', 401, { name: 'x', alternative, usage: 'server' }],
    ['that has expired', 401, { name: 'x', alternative, fromDay: -3, toDay: -1 }],
    ['that is not valid yet', 401, { name: 'x', alternative, fromDay: 1, toDay: 3 }],
    ['without a subject', 401, { name: '' }],
    ['whose name is quoted', 401, { name: 'x', alternative: [['dns', 'a, URI:spiffe://example.com/anna']] }],
    [
      'of two workloads',
      401,
      { name: 'x', alternative: [...alternative, ['uri', 'spiffe://example.com/bob']] },
    ],
    [
      'with a path that is escaped',
      401,
      { name: 'x', alternative: [['uri', 'spiffe://example.com/../anna']] },
    ],
  ])('%s is answered %d', async (_what, status, options) => {
    await start();
    expect(await statusOf(certificate({ ...options, by: authority }))).toBe(status);
  });

  it('is worth nothing once who signed it is trusted no more, on a connection from before too', async () => {
    const at = await start();
    const anna = certificate({ name: 'x', alternative, by: authority });
    const { port, host } = new URL(gateway?.adminUrl ?? '');
    const socket = connect({ port: Number(port), host: '127.0.0.1', ca: authority.cert, cert: anna.cert, key: anna.key }); // prettier-ignore
    socket.write(`GET /whoami HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 200/);
    // A request that has begun keeps the connection.
    socket.write(`GET /whoami HTTP/1.1\r\nhost: ${host}\r\n`);
    at('ca.pem', certificate({ name: 'others', isAuthority: true }).cert);
    await gateway?.linesWhere(({ msg }) => msg === 'operators’ access read again');
    socket.write('\r\n');
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 401/);
    socket.destroy();
    expect(await statusOf(anna)).toBe(401);
  });

  it('of the listener may be replaced while it serves; a file with a fault changes nothing', async () => {
    const at = await start();
    const anna = certificate({ name: 'x', alternative, by: authority });
    at('ca.pem', `${authority.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
    await gateway?.linesWhere(({ msg }) => msg.startsWith('operators’ access not taken over'));
    expect(await statusOf(anna)).toBe(200);
    const next = certificate({ name: 'next', hosts: ['127.0.0.1'], by: authority });
    at('ca.pem', authority.cert);
    at('cert.pem', next.cert);
    at('key.pem', next.key);
    await gateway?.linesWhere(({ msg }) => msg === 'operators’ access read again');
    const request = secureRequest(`${gateway?.adminUrl}/`, { ca: authority.cert, agent: false }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const { socket } = answer as unknown as { socket: { getPeerCertificate(): { subject: { CN: string } } } };
    expect(socket.getPeerCertificate().subject.CN).toBe('next');
    answer.resume();
  });
});

describe('the cookie of a session of operators', () => {
  it('reaches no service behind the clients’ port of the same host', async () => {
    const service = createServer((request, response) => response.end(request.headers.cookie ?? 'none'));
    await once(service.listen(0, '127.0.0.1'), 'listening');
    const { port } = service.address() as AddressInfo;
    const config = `version: 1
upstreams: { it: { targets: ['http://127.0.0.1:${port}'] } }
routes: [{ id: all, match: { path: /* }, upstream: it, policies: { authentication: public } }]
`;
    gateway = await startGateway({ config });
    const told = async (cookie: string) => (await fetch(`${gateway?.url}/`, { headers: { cookie } })).text();
    expect(await told('gatehouse-admin=secret')).toBe('none');
    expect(await told('a=1; __Host-gatehouse-admin=secret; b=2;gatehouse-admin=secret')).toBe('a=1; b=2');
    expect(await told('my-gatehouse-admin=1')).toBe('my-gatehouse-admin=1');
    service.close();
  });
});

describe('what operators are shown of tokens', () => {
  it('says when they expire, and warns where others can read them', async () => {
    operators = useOperators(operatorToken('read', 'read', ', expires: 2040-01-01').line);
    const soon = operatorToken('soon', 'read', ', expires: 2040-01-01');
    writeFileSync(operators.file, `tokens:\n${soon.line}`);
    gateway = await startGateway({ config: CONFIG, environment: { ...operators.environment, ADMIN_HOST: '0.0.0.0' } }); // prettier-ignore
    const headers = { authorization: `Bearer ${soon.token}` };
    const { port } = new URL(gateway.adminUrl);
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
    expect(page).toContain(
      `gatehouse_admin_token_expiry_timestamp_seconds{name="soon"} ${Date.UTC(2040, 0) / 1000}`,
    );
    expect(page).toMatch(/^gatehouse_admin_access_faulty 0$/m);
    expect(
      await gateway.linesWhere(({ msg }) => msg.includes('over plain HTTP beyond loopback')),
    ).toHaveLength(1);
  });
});
