import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, type Type } from '@nestjs/common';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Authorization } from '../../src/policies/authorization/authorization.policy.ts';
import {
  ACCESS,
  accessAsks,
  accessCases,
  ROLES,
  type AccessCase,
  type Ask,
} from '../support/access-cases.ts';
import { useShop, type RouteInput } from '../support/shop.ts';

/** The path of a case below the path of a door. */
const pathOf = (at: number, { params = [] }: AccessCase, write: (name: string) => string): string =>
  [`/case-${at}`, ...params.map(write)].join('/');

const proxied = (one: AccessCase, at: number): RouteInput => ({
  id: `case-${at}`,
  match: { path: `/proxied${pathOf(at, one, (name) => `{${name}}`)}` },
  paths: { encodedSlashes: 'pass' },
  upstream: 'echo',
  policies: { authorization: one.authorization, ...(one.isPublic && { authentication: 'public' }) },
});

function controllerOf(one: AccessCase, at: number): Type {
  class CaseController {
    show(): object {
      return {};
    }
  }
  Object.defineProperty(CaseController, 'name', { value: `Case${at}Controller` });
  const path = pathOf(at, one, (name) => `:${name}`);
  Controller(`controller${path}`)(CaseController);
  Get()(
    CaseController.prototype,
    'show',
    Object.getOwnPropertyDescriptor(CaseController.prototype, 'show') ?? {},
  );
  Authorization(one.authorization as Parameters<typeof Authorization>[0])(CaseController);
  if (one.isPublic === true) Authentication('public')(CaseController);
  return CaseController;
}

@Module({ controllers: accessCases.map(controllerOf) })
class CasesModule {}

const says = (id: string, path: string, more: object = {}): RouteInput => ({
  id,
  match: { path },
  upstream: 'echo',
  ...more,
});

const holder = useShop({
  roles: ROLES,
  modules: [CasesModule],
  routes: [
    ...accessCases.map(proxied),
    says('rest', '/acc/*'),
    says('heads', '/acc/heads/*', { match: { methods: ['HEAD'], path: '/acc/heads/*' } }),
    says('own', '/acc/payments/own', { policies: { authorization: { anyRole: ['own'] } } }),
  ],
  more: { trustedProxies: ['loopback'], access: ACCESS },
});

async function statusOf(base: string, ask: Ask): Promise<number> {
  const { identity } = holder.shop.services;
  const headers: Record<string, string> = { ...ask.headers };
  if (ask.as !== undefined) headers['authorization'] = `Bearer ${await identity.token('guest', ask.as)}`;
  if (ask.from !== undefined) headers['x-forwarded-for'] = ask.from;
  const path = [base, ...(ask.at ?? [])].join('/') + (ask.query === undefined ? '' : `?${ask.query}`);
  return (await holder.shop.call(path, { method: ask.method, headers })).status;
}

describe.each(['proxied', 'controller'])('at a %s', (door) => {
  it.each(accessCases.map((one, at) => [one.name, one, at] as const))('%s', async (_name, one, at) => {
    const decided = [];
    for (const ask of one.asks) decided.push((await statusOf(`/${door}/case-${at}`, ask)) === 200);
    expect(decided).toEqual(one.asks.map(({ allowed }) => allowed));
  });
});

describe('access by path and method, where routes say nothing', () => {
  it.each(accessAsks)('%s %s as %p: %p', async (method, path, as, allowed) => {
    const status = await statusOf(`/acc${path}`, { method, as: { roles: as }, allowed });
    expect(status).toBe(allowed ? 200 : 403);
  });
});
