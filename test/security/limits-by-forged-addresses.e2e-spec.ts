import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// Who may say where a client is decides whose bucket is empty.

let service: TestUpstream;
beforeAll(async () => void (service = await startUpstream()));
afterAll(() => service.stop());

const NAMES = ['x-forwarded-for', 'forwarded'] as const;
const said = (name: (typeof NAMES)[number], addresses: readonly string[]): Record<string, string> => ({
  [name]: addresses.map((one) => (name === 'forwarded' ? `for="${one}"` : one)).join(', '),
});

describe.each([
  ['nobody is trusted', [], 429],
  ['the proxy is trusted', ['loopback'], 200],
] as const)('a limit by address where %s', (_, trustedProxies, ofAnother) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    const rateLimit = { key: 'ip', rate: 1, per: '1d' };
    gateway = await startGateway({
      config: JSON.stringify({
        version: 1,
        trustedProxies,
        upstreams: { behind: { targets: [service.url] } },
        routes: NAMES.map((id) => ({
          id,
          match: { path: `/${id}` },
          upstream: 'behind',
          policies: { authentication: 'public', rateLimit },
        })),
      }),
    });
  });
  afterAll(() => gateway.stop());

  it.each(NAMES)('is not got round by %s', async (name) => {
    const ask = async (...addresses: string[]): Promise<number> =>
      (await call(`${gateway.url}/${name}`, { headers: said(name, addresses) })).status;
    expect(await ask('192.0.2.1')).toBe(200);
    expect(await ask('192.0.2.1')).toBe(429);
    // What stands before the address that the proxy has seen is the client's own word.
    expect(await ask('203.0.113.9', '192.0.2.1')).toBe(429);
    expect(await ask('192.0.2.2')).toBe(ofAnother);
  });
});
