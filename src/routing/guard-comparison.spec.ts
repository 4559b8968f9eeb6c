import { describe, expect, it } from '@jest/globals';
import { authenticationPolicy } from '../policies/authentication/authentication.policy.ts';
import { securityOf } from '../contracts/security.ts';
import { admitsOthers } from './guard-comparison.ts';
import type { Route } from './route.ts';
import { judge } from './who-may.ts';

const route = (authentication: unknown): Route =>
  ({
    policies: { authentication: authenticationPolicy.schema.parse(authentication) },
    stages: [],
  }) as unknown as Route;

const JWT = { schemes: ['jwt'] };
const BOTH = { allOf: ['jwt', 'apiKey'] };
const EITHER = { anyOf: ['jwt', 'apiKey'] };

describe('admitsOthers', () => {
  it.each([
    [JWT, JWT, false],
    [EITHER, JWT, true],
    [JWT, EITHER, false],
    [BOTH, JWT, false],
    [JWT, BOTH, true],
    [{ anyOf: [{ allOf: ['jwt', 'apiKey'] }, 'jwt'] }, JWT, false],
    [{ ...JWT, optional: true }, JWT, true],
    [JWT, { ...JWT, optional: true }, false],
    ['public', JWT, true],
    [JWT, 'public', false],
  ])('%j admits whom %j refuses: %s', (ours, theirs, expected) => {
    expect(admitsOthers(route(ours), route(theirs))).toBe(expected);
  });
});

describe('who may call', () => {
  const caller = { scheme: 'jwt', id: 'a', roles: [] } as unknown as Parameters<typeof judge>[1];
  it.each([
    [JWT, caller, 'yes'],
    [JWT, undefined, 'no'],
    [BOTH, caller, 'no'],
    [EITHER, caller, 'yes'],
    [{ schemes: ['apiKey'], optional: true }, undefined, 'yes'],
    [{ schemes: ['apiKey'], optional: true }, caller, 'no'],
  ])('on %j', (authentication, principal, may) => {
    expect(judge(route(authentication), principal)).toMatchObject([{ may }]);
  });
});

describe('the contract', () => {
  it.each([
    ['public', []],
    [EITHER, [{ jwt: [] }, { apiKey: [] }]],
    [BOTH, [{ jwt: [], apiKey: [] }]],
    [{ ...JWT, optional: true }, [{ jwt: [] }, {}]],
  ])('says of %j what opens it', (authentication, security) => {
    expect(securityOf(route(authentication))).toEqual(security);
  });
});
