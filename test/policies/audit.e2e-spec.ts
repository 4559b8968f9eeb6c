import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { Field, ObjectType, Query, Resolver, Subscription } from '@nestjs/graphql';
import { renameSync } from 'node:fs';
import { Authorization } from '../../src/policies/authorization/authorization.policy.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { AuditFolder, untilAudit, type WrittenEvent } from '../support/audit.ts';
import { call, type Answer, type CallOptions } from '../support/client.ts';
import { GRAPHQL_DOORS } from '../support/graphql-doors.ts';
import { reload, until } from '../support/reload.ts';
import {
  API_KEY,
  shopConfig,
  startShop,
  type RouteInput,
  type Shop,
  type ShopOptions,
} from '../support/shop.ts';
import { open } from '../support/socket-client.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const KEY = { 'x-api-key': API_KEY };
const PUBLIC = { authentication: 'public' };

@ObjectType('AuditedPerson')
class Person {
  @Field(() => String)
  name!: string;
  @Field(() => String, { nullable: true })
  @Authorization({ anyRole: ['hr'] })
  salary!: string | null;
}

@Resolver()
class PeopleResolver {
  @Query(() => [Person])
  people(): Person[] {
    return [1, 2, 3].map((i) => ({ name: `p${i}`, salary: 'much' }));
  }

  @Subscription(() => Person)
  async *hired(): AsyncGenerator<{ hired: Person }> {
    yield { hired: { name: 'p', salary: 'much' } };
    await new Promise(() => {});
  }
}

@Controller('team')
@Public()
class TeamController {
  @Get()
  show(): object {
    return {};
  }
}

@Module({ controllers: [TeamController], providers: [PeopleResolver] })
class AuditedModule {}

const proxied = (id: string, policies: object, more: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies: { ...PUBLIC, ...policies },
  ...more,
});

const folder = new AuditFolder();
let decider: TestUpstream;
let shop: Shop;
let options: ShopOptions;
let taken = 0;

const configWith = (more: object): object =>
  shopConfig(shop.services, shop.echo, { ...options, more: { ...options.more, ...more } });

beforeAll(async () => {
  decider = await startUpstream((_request, response) => void response.writeHead(403).end('no'));
  options = {
    modules: [{ name: 'AuditedModule', module: AuditedModule, graphql: true }],
    identity: { revocation: { longest: '1h' } },
    upstreams: (services) => ({
      sides: {
        targets: [
          { url: services['users-1'].url, labels: { track: 'stable' } },
          { url: services['users-2'].url, labels: { track: 'canary' } },
        ],
      },
      decider: { targets: [decider.url], circuitBreaker: 'off' },
      gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', retry: { attempts: 1 } },
    }),
    policies: {},
    routes: [
      proxied('ip', { ipAccess: { deny: ['loopback'] } }),
      proxied('limited', { rateLimit: { key: 'global', rate: 1, per: '1d' } }),
      proxied('cors', { cors: { origins: ['https://app.example.com'] } }),
      proxied('cel', { authorization: { when: "request.headers['x-may'] == 'yes'" } }),
      proxied('body', { bodyAuthorization: { when: 'body.amount < 10' } }),
      proxied('shadow', { authorization: { when: 'false', mode: 'shadow' } }),
      proxied('outside', {
        externalAuthorization: { upstream: 'decider', forward: { path: '/', passRefusal: true } },
      }),
      proxied('nobody-asked', { externalAuthorization: { upstream: 'gone', opa: { path: '/' } } }),
      proxied('split', {}, { upstream: 'sides', canary: { to: { track: 'canary' }, weight: '5%' } }),
      { id: 'own', match: { path: '/own' }, upstream: 'echo' },
    ],
    more: {
      audit: { file: folder.file, denials: { perAddress: 20, perSecond: 1000 } },
      modules: ['AuditedModule'],
    },
  };
  shop = await startShop(options);
});
afterAll(async () => {
  await shop.stop();
  await decider.stop();
  folder.remove();
});

/** The events since the last time that somebody asked; waits until there are so many. */
async function fresh(count: number): Promise<readonly WrittenEvent[]> {
  const before = taken;
  const all = await folder.where(() => true, before + count);
  taken = all.length;
  return all.slice(before);
}

const post = (body: string, headers: object = {}): CallOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
});
const admin = (path: string, ask: CallOptions = {}): Promise<Answer> =>
  call(shop.gateway.adminUrl + path, ask);
const preflight = (origin: string): CallOptions => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'GET' },
});

describe('one event is written for', () => {
  it.each<[string, () => Promise<unknown>, object]>([
    ['an address', () => shop.call('/ip'), { reason: 'address-denied', policy: 'address', status: 403 }],
    [
      'a condition',
      () => shop.call('/cel'),
      { reason: 'permission-denied', by: expect.stringContaining('when') },
    ],
    [
      'a body',
      () => shop.call('/body', post('{"amount":10}')),
      { reason: 'permission-denied', by: 'bodyAuthorization' },
    ],
    [
      'a preflight',
      () => shop.call('/cors', preflight('https://evil.example')),
      { target: 'OPTIONS /cors', reason: 'permission-denied', by: 'cors' },
    ],
    [
      'what somebody outside refuses in his own words',
      () => shop.call('/outside'),
      { reason: 'permission-denied', by: 'externalAuthorization' },
    ],
    [
      'what nobody could be asked about',
      () => shop.call('/nobody-asked'),
      { outcome: 'unavailable', reason: 'authorization-unavailable', status: 503 },
    ],
    ['what is only tried out', () => shop.call('/shadow'), { outcome: 'shadow', by: 'when' }],
    [
      'a token that is none',
      () => shop.call('/own?access_token=abc', { headers: { authorization: 'Bearer x.y.z' } }),
      { reason: 'credentials-invalid', actor: { type: 'anonymous' }, target: 'GET /own?access_token=' },
    ],
  ])('%s', async (_what, ask, event) => {
    await ask();
    expect(await fresh(1)).toEqual([
      expect.objectContaining({ kind: 'denial', outcome: 'denied', ...event }),
    ]);
  });

  it('each request over a limit, and none for the one within it', async () => {
    await shop.call('/limited');
    await shop.call('/limited');
    expect(await fresh(1)).toMatchObject([{ reason: 'rate-limited', status: 429, by: 'global' }]);
  });

  it('nobody who is let in', async () => {
    await shop.call('/cel', { headers: { 'x-may': 'yes' } });
    await shop.call('/cors', preflight('https://app.example.com'));
    await shop.call('/own', { headers: KEY });
    await shop.call('/nowhere');
    await shop.call('/team');
    expect(await fresh(0)).toEqual([]);
  });

  it.each(Object.keys(GRAPHQL_DOORS))('a field of a list, %s', async (door) => {
    const answer = await GRAPHQL_DOORS[door]?.(
      shop.gateway.url,
      { query: '{ people { name salary } }' },
      KEY,
    );
    expect(answer?.errors).toHaveLength(3);
    expect(await fresh(1)).toEqual([
      expect.objectContaining({ kind: 'denial', action: 'field', reason: 'permission-denied', count: 3 }),
    ]);
  });

  it('a socket whose caller is revoked, and for the order', async () => {
    const token = await shop.services.identity.token('user', { jti: 'stolen' });
    const headers = { authorization: `Bearer ${token}` };
    const opening = { url: shop.gateway.url, headers, protocols: ['graphql-transport-ws'] };
    const { socket, closed, messages } = await open('/graphql', opening);
    socket.send('{"type":"connection_init"}');
    for (const id of [1, 2])
      socket.send(`{"id":"${id}","type":"subscribe","payload":{"query":"subscription { hired { name } }"}}`);
    await until(() => messages.length === 3);
    await admin(
      '/revocations',
      post('{"jti":"stolen","reason":"lost phone"}', { 'x-gatehouse-admin': 'cli' }),
    );
    await closed;
    const events = await fresh(3);
    expect(events.filter(({ kind }) => kind === 'denial')).toEqual([
      expect.objectContaining({
        reason: 'credentials-revoked',
        actor: { type: 'principal', id: expect.any(String), scheme: 'jwt' },
      }),
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: 'revocation',
        action: 'revoke',
        outcome: 'done',
        actor: { type: 'cli' },
        target: 'jti stolen',
        reason: 'lost phone',
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'admin', action: 'POST /revocations', outcome: 'done', status: 200 }),
    );
  });
});

describe('of a revocation that is taken back', () => {
  it('says who has taken back what, and why, and what was none', async () => {
    await admin('/revocations', post('{"jti":"mistaken"}'));
    const undo = { method: 'DELETE', headers: { 'x-gatehouse-admin': 'cli' } };
    for (const status of [200, 404])
      expect((await admin('/revocations?jti=mistaken&reason=wrong', undo)).status).toBe(status);
    const events = (await fresh(6)).filter(({ action }) => action === 'unrevoke');
    expect(events).toEqual(
      ['done', 'unchanged'].map((outcome) =>
        expect.objectContaining({
          kind: 'revocation',
          outcome,
          actor: { type: 'cli' },
          target: 'jti mistaken',
          reason: 'wrong',
        }),
      ),
    );
  });
});

describe('of operators', () => {
  it.each<[string, string, CallOptions, object]>([
    [
      'a breaker',
      '/upstreams/echo/targets/x/breaker',
      { ...post('{"state":"closed"}'), method: 'PUT' },
      { outcome: 'refused', details: { state: 'closed' }, target: '/upstreams/echo/targets/x/breaker' },
    ],
    [
      'a canary that is not there',
      '/canaries/nope/abort',
      post('{}', { 'x-gatehouse-admin': '1' }),
      { outcome: 'refused' },
    ],
    [
      'a page',
      '/routes',
      { headers: { origin: 'http://evil.example' } },
      { outcome: 'refused', status: 403 },
    ],
    [
      'what is nowhere',
      '/nowhere?token=abcdef',
      { method: 'DELETE' },
      { action: 'DELETE (none)', target: '/nowhere' },
    ],
  ])('the order is told of %s', async (_what, path, ask, event) => {
    await admin(path, ask);
    expect(await fresh(1)).toEqual([
      expect.objectContaining({ kind: 'admin', actor: { type: 'admin' }, ...event }),
    ]);
  });

  it('what only looks is not', async () => {
    for (const path of ['/routes', '/metrics', '/revocations']) await admin(path);
    await admin('/explain', post('{"request":"GET /own"}'));
    expect(await fresh(0)).toEqual([]);
  });

  it('the order and the step of a canary are told of', async () => {
    await admin('/canaries/split/pause', post('{}', { 'x-gatehouse-admin': '1' }));
    expect(await fresh(2)).toMatchObject([
      {
        kind: 'canary',
        action: 'paused',
        route: 'split',
        actor: { type: 'admin' },
        details: { from: 'running' },
      },
      { kind: 'admin', action: 'POST /canaries/:route/:wish', outcome: 'done' },
    ]);
  });
});

describe('of the configuration', () => {
  it('each reload is told of, with digests and places, and nothing that stands there', async () => {
    expect((await reload(shop.gateway, configWith({ floodLimit: 'off' }))).outcome).toBe('reloaded');
    expect((await reload(shop.gateway, configWith({ contracts: { enabled: false } }))).outcome).toBe(
      'needs-restart',
    );
    await shop.gateway.gateway.app.get(Reloads).reload('SIGHUP');
    const events = await fresh(3);
    const [good, fixed, faulty] = events;
    expect(events.map(({ kind, action, outcome, reason }) => [kind, action, outcome, reason])).toEqual([
      ['config', 'reload', 'done', 'reloaded'],
      ['config', 'reload', 'refused', 'needs-restart'],
      ['config', 'reload', 'refused', 'faulty'],
    ]);
    expect(good?.details).toEqual({ from: expect.stringMatching(/^[0-9a-f]{64}$/), to: expect.any(String) });
    expect(good?.details?.['from']).not.toBe(good?.details?.['to']);
    expect(fixed?.details).toMatchObject({
      from: good?.details?.['to'],
      faults: 1,
      at: expect.stringContaining('contracts'),
    });
    expect(faulty).toMatchObject({
      actor: { type: 'signal', id: 'SIGHUP' },
      details: { to: 'unreadable', faults: 1 },
    });
  });

  it('a kind that is left out is not written any more', async () => {
    await reload(shop.gateway, configWith({ audit: { file: folder.file, events: ['denial'] } }));
    await shop.call('/ip');
    expect((await fresh(1)).map(({ kind }) => kind)).toEqual(['denial']);
  });

  it('the last event in the old place says that others go elsewhere', async () => {
    const other = `${folder.folder}/other.jsonl`;
    await reload(shop.gateway, configWith({ audit: { file: other } }));
    expect(await fresh(1)).toMatchObject([{ kind: 'audit', action: 'leave', details: { to: other } }]);
    await reload(shop.gateway, configWith({ audit: options.more?.['audit'] }));
    await fresh(1);
  });
});

describe('a flood', () => {
  it('is counted beyond what is written one by one', async () => {
    for (let i = 0; i < 60; i += 1) await shop.call('/ip');
    const events = await folder.where(({ count }) => count !== undefined && count > 3, 1);
    const summaries = events.filter(({ outcome }) => outcome === 'suppressed');
    const flood = folder.events().slice(taken);
    const told = flood.reduce((sum, { count = 1 }) => sum + count, 0);
    expect(summaries[0]).toMatchObject({
      action: 'several',
      source: { address: '127.0.0.1' },
      reason: 'address-denied',
    });
    expect(told).toBe(60);
    await fresh(0);
    expect(await shop.metrics()).toMatch(/gatehouse_audit_suppressed_total [1-9]/);
  });
});

describe('what cannot be written', () => {
  const away = `${folder.folder}-away`;
  const readiness = (): Promise<Answer> => shop.call('/health/ready');

  it.each([
    ['continue', 200, 200],
    ['refuse', 503, 503],
  ])('has requests %s, as the configuration says', async (onFailure, status, ready) => {
    await reload(shop.gateway, configWith({ audit: { file: folder.file, onFailure } }));
    renameSync(folder.folder, away);
    await untilAudit(shop.gateway, 'failing');
    expect((await shop.call('/own', { headers: KEY })).status).toBe(status);
    expect((await shop.call('/team')).status).toBe(status);
    expect((await shop.call('/health/live')).status).toBe(200);
    expect((await readiness()).status).toBe(ready);
    if (ready === 200)
      expect((await readiness()).json()).toMatchObject({ details: { audit: { state: 'degraded' } } });
    expect(
      (await admin('/upstreams/echo/targets/x/breaker', { ...post('{"state":"closed"}'), method: 'PUT' }))
        .status,
    ).toBe(status === 200 ? 404 : 503);
    expect(await shop.metrics()).toContain('gatehouse_audit_failing 1');
    renameSync(away, folder.folder);
    await untilAudit(shop.gateway, 'ok');
    expect((await shop.call('/own', { headers: KEY })).status).toBe(200);
    const lines = shop.gateway.lines.filter((line) => line.msg.startsWith('audit events can'));
    expect(lines.slice(-2).map(({ level }) => level)).toEqual([50, 30]);
    expect((await fresh(1)).some(({ action }) => action.startsWith('PUT'))).toBe(true);
  });
});
