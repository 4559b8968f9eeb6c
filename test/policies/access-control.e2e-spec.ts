import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, type Type } from '@nestjs/common';
import { Args, Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Authorization, When } from '../../src/policies/authorization/authorization.policy.ts';
import {
  ACCESS,
  accessAsks,
  accessCases,
  bodyAsks,
  fieldAsks,
  ROLES,
  type AccessCase,
  type Ask,
} from '../support/access-cases.ts';
import type { Answer } from '../support/client.ts';
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

@ObjectType('GuardedAccount')
class Account {
  @Field(() => String)
  owner!: string;
  @Field(() => String, { nullable: true })
  @When('parent.owner == principal.id')
  balance!: string | null;
}

@Resolver()
class AccountsResolver {
  @Query(() => Account, { nullable: true })
  @When("args.owner == principal.id || 'editor' in principal.roles")
  account(@Args('owner', { type: () => String }) owner: string): Account {
    return { owner, balance: '1' };
  }

  @Query(() => [Account])
  accounts(): Account[] {
    return ['u-7', 'u-8'].map((owner) => ({ owner, balance: '1' }));
  }
}

@Module({ providers: [AccountsResolver] })
class AccountsModule {}

const bodyPaths = [...new Set(bodyAsks.map(([when]) => when))];

const says = (id: string, path: string, more: object = {}): RouteInput => ({
  id,
  match: { path },
  upstream: 'echo',
  ...more,
});

const holder = useShop({
  roles: ROLES,
  issuer: {
    claims: {
      roles: ['roles', 'realm_access.roles', 'https://example.com/app.roles'],
      tenant: 'tid',
      tier: 'tier',
    },
  },
  modules: [CasesModule, { name: 'accounts', module: AccountsModule, graphql: true }],
  routes: [
    ...accessCases.map(proxied),
    ...bodyPaths.map((when, at) =>
      says(`body-${at}`, `/body/${at}`, { policies: { bodyAuthorization: { when } } }),
    ),
    says('rest', '/acc/*'),
    says('heads', '/acc/heads/*', { match: { methods: ['HEAD'], path: '/acc/heads/*' } }),
    says('own', '/acc/payments/own', { policies: { authorization: { anyRole: ['own'] } } }),
  ],
  more: { trustedProxies: ['loopback'], access: ACCESS, modules: ['accounts'] },
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

const postAs = async (path: string, as: Ask['as'], body: string): Promise<Answer> =>
  holder.shop.call(path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await holder.shop.services.identity.token('guest', as ?? {})}`,
    },
    body,
  });

describe('what a body says', () => {
  it.each(bodyAsks)('%s as %p with %s: %p', async (when, as, body, allowed) => {
    const { status } = await postAs(`/body/${bodyPaths.indexOf(when)}`, as, body);
    expect(status).toBe(allowed ? 200 : 403);
  });
});

describe('what a field of GraphQL is asked with, and is a field of', () => {
  it.each(fieldAsks)('as %p: %s', async (as, query, refused) => {
    const answer = await postAs('/graphql', as, JSON.stringify({ query }));
    const { errors = [] } = answer.json<{ errors?: { path: (string | number)[]; extensions: object }[] }>();
    expect(errors.map(({ path }) => path.join('.')).sort()).toEqual(refused);
    for (const { extensions } of errors) expect(extensions).toMatchObject({ code: 'permission-denied' });
  });
});
