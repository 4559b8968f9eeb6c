import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { includesRole, ROLES, type NeededRole } from '../../src/admin/access/roles.ts';
import { AdminListener } from '../../src/admin/admin.listener.ts';
import type { AdminOperation } from '../../src/admin/openapi.ts';
import type { OpenApiDocument } from '../../src/contracts/openapi.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { openApiFaults } from '../support/openapi-rules.ts';
import { bearer, useOperators, type Operators } from '../support/operators.ts';

const CONFIG = 'version: 1\nupstreams: {}\nroutes: []\n';
/** What no order makes sense of, so that none of them does anything. */
const NONSENSE = '{"nonsense":1}';

let operators: Operators;
let gateway: TestGateway;
let all: readonly AdminOperation[];

beforeAll(async () => {
  operators = useOperators();
  gateway = await startGateway({ config: CONFIG, environment: operators.environment });
  all = gateway.gateway.app.get(AdminListener).operations;
});

afterAll(async () => {
  await gateway.stop();
  operators.remove();
});

async function statusOf({ method, path }: AdminOperation, headers: Record<string, string>): Promise<number> {
  const hasBody = method !== 'GET' && method !== 'DELETE';
  const answer = await fetch(gateway.adminUrl + path.replace(/:\w+/g, 'x').replace('*', 'x'), {
    method,
    headers: {
      ...headers,
      'x-gatehouse-admin': 'cli',
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    ...(hasBody ? { body: NONSENSE } : {}),
  });
  await answer.body?.cancel();
  return answer.status;
}

describe('operations of the operators’ listener', () => {
  it('each have a name of their own and a role', () => {
    expect(all.length).toBeGreaterThan(30);
    const names = all.map(({ config }) => config.operation);
    expect(new Set(names).size).toBe(all.length);
    for (const { config } of all) expect(['anyone', ...ROLES]).toContain(config.role);
  });

  it('are refused to whoever shows nothing, but those that hold nothing', async () => {
    for (const one of all) {
      const status = await statusOf(one, {});
      if (one.config.role === 'anyone') expect(status).not.toBe(403);
      else expect([one.path, status]).toEqual([one.path, 401]);
    }
  });

  it.each(ROLES)('are carried out for the role %s as far as it goes', async (role) => {
    for (const one of all) {
      const needed = one.config.role as NeededRole;
      const status = await statusOf(one, bearer(operators.tokens[role]));
      const place = `${one.method} ${one.path}`;
      if (includesRole(role, needed)) expect([place, [401, 403].includes(status)]).toEqual([place, false]);
      else expect([place, status]).toEqual([place, 403]);
    }
  });

  it('need the role that their effect deserves', () => {
    const of = (role: NeededRole): unknown[] =>
      all.filter(({ config }) => config.role === role).map(({ config }) => config.operation);
    expect(of('anyone').toSorted()).toEqual([
      'closeSession',
      'findConsole',
      'openSession',
      'readConsoleFile',
      'showConsole',
      'showIndex',
    ]);
    expect(of('admin').toSorted()).toEqual([
      'assignTier',
      'changeKey',
      'createKey',
      'revoke',
      'revokeKey',
      'rotateKey',
      'setTierLimit',
      'unrevoke',
    ]);
    const orders = all.filter(({ method }) => method !== 'GET').map(({ config }) => config);
    expect(orders.filter(({ role }) => role === 'read').map(({ operation }) => operation)).toEqual([
      'explainRequest',
    ]);
  });
});

describe('the contract of the operators’ listener', () => {
  it('is valid, and lacks no operation', async () => {
    const answer = await fetch(`${gateway.adminUrl}/openapi.json`, {
      headers: bearer(operators.tokens.read),
    });
    const contract = (await answer.json()) as OpenApiDocument;
    expect(openApiFaults(contract)).toEqual([]);
    const listed = Object.entries(contract.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const registered = all.map(
      ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')}`,
    );
    expect(listed.toSorted()).toEqual(registered.toSorted());
    for (const { config } of all) expect(config.summary).toMatch(/^[A-Z].*[^.]$/);
  });
});
