import { afterEach, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { learnEnvironment, learnVariables } from '../../src/telemetry/redaction.ts';

// Each stands where a secret may stand, and nowhere else.
let planted = 0;
const secrets: string[] = [];
function plant(): string {
  const secret = `planted-${(planted += 1)}-Zq7`;
  secrets.push(secret);
  return secret;
}

const VARIABLES: Record<string, string> = {
  PLANTED_PASSWORD: plant(),
  PLANTED_API_KEY: plant(),
  PLANTED_PLAIN: plant(),
  COOKIE_SALT: `${plant()}-and-as-long-as-it-has-to-be-32`,
  DATABASE_URL: `postgres://me:${plant()}@db/it`,
};

const CONFIG = `
version: 1
floodLimit: off
# old password: ${plant()}
upstreams:
  it:
    targets: [{ url: http://127.0.0.1:1 }, { url: http://127.0.0.1:2 }]
    health:
      active: { path: '/healthz?token=${plant()}', headers: { authorization: 'Bearer ${plant()}', x-api-key: '${plant()}' }, interval: 1h }
    sticky: { secretEnv: COOKIE_SALT }
routes:
  - id: one
    match: { path: /one, headers: { x-internal-key: ${plant()} }, query: { token: ${plant()} }, cookies: { session: ${plant()} } }
    upstream: it
    policies:
      authentication: public
      transform:
        request: { setHeaders: { x-secret: ${plant()}, authorization: "Basic ${plant()}=" } }
        response: { setHeaders: { set-cookie: "sid=${plant()}" } }
  - id: two
    match: { path: /two }
    respond: { status: 200, headers: { x-token: ${plant()} }, body: ok }
    policies: { authentication: public }
`;

let gateway: TestGateway | undefined;
afterEach(async () => {
  for (const name of Object.keys(VARIABLES)) Reflect.deleteProperty(process.env, name);
  await gateway?.stop();
});

it('holds none of the secrets that stand in the configuration, in variables, or in orders', async () => {
  Object.assign(process.env, VARIABLES);
  learnEnvironment(process.env);
  learnVariables({ secretEnv: 'COOKIE_SALT' }, process.env);
  gateway = await startGateway({ config: CONFIG, environment: VARIABLES });
  const url = gateway.adminUrl;
  const reason = `because Bearer ${plant()}`;
  const ejected = await call(`${url}/upstreams/it/targets/127.0.0.1:1/ejection`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'spec' },
    body: JSON.stringify({ reason, force: true }),
  });
  expect(ejected.status).toBe(200);
  await call(`${gateway.url}/one?token=${plant()}`);

  const pages = [
    '/support-bundle',
    '/config',
    '/config/history',
    '/config/history/1',
    '/config/diff?from=1&to=1',
    '/overrides',
    '/changes',
    '/upstreams',
    '/routes',
  ];
  for (const page of pages) {
    const answer = await call(url + page);
    expect([page, answer.status]).toEqual([page, 200]);
    expect([page, secrets.filter((secret) => answer.text.includes(secret))]).toEqual([page, []]);
  }
  const bundle = (await call(`${url}/support-bundle`)).json<Record<string, unknown>>();
  expect(Object.keys(bundle)).toEqual(
    expect.arrayContaining([
      'version',
      'node',
      'environment',
      'features',
      'configText',
      'history',
      'routes',
      'upstreams',
      'changes',
      'log',
      'metrics',
      'process',
    ]),
  );
  expect(bundle['environment']).toMatchObject({ PLANTED_PLAIN: '(not shown)', PATH: '(not shown)' });
  expect(bundle['configText']).toContain('x-secret: "[redacted]"');
  expect(bundle['overrides']).toHaveLength(1);
});
