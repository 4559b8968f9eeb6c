import { describe, expect, it } from '@jest/globals';
import type { ConfigPath } from '../config/config-path.ts';
import type { RouteDefinition } from './route.ts';
import { UnsureParts } from './unsure.ts';

const parts = (paths: readonly ConfigPath[], routeIds: readonly string[] = []) =>
  new UnsureParts({ paths, routeIds }, (index) => `g.yaml:${index}:1`);

const definition = (more: object = {}) =>
  ({ origin: 'g.yaml:0:1', upstream: 'users', policies: [{}], ...more }) as unknown as RouteDefinition;

const of = (path: ConfigPath, more: object = {}, isOfFile = true) => {
  const unsure = parts([path]).of(definition(more), isOfFile);
  return unsure && { policies: [...unsure.policies], facts: [...unsure.facts] };
};

describe('what is unsure of a route', () => {
  it.each<[ConfigPath, object | undefined]>([
    [['routes', 1, 'match'], undefined],
    [['routes', 0, 'policies', 'cors'], { policies: ['cors'], facts: [] }],
    [['routes', 0, 'policies', 'authentcation'], { policies: ['authentication'], facts: [] }],
    [['routes', 0, 'polices'], { policies: ['*'], facts: [] }],
    [['routes', 0, 'match', 'path'], { policies: [], facts: ['match'] }],
    [['routes', 0, 'canary', 'weight'], { policies: [], facts: ['action'] }],
    [['upstreams', 'users', 'timeouts'], { policies: [], facts: ['upstream'] }],
    [['upstreams', 'users', 'policies', 'cors'], { policies: ['cors'], facts: [] }],
    [['upstreams', 'orders', 'timeouts'], undefined],
    [['upstreams'], { policies: ['*'], facts: ['upstream'] }],
    [['identity', 'issuers'], { policies: ['authentication'], facts: [] }],
    [['tiers', 'free'], { policies: [], facts: ['tiers'] }],
    [['access', 3], { policies: ['authorization'], facts: [] }],
    [['defaults', 'policies', 'cors'], { policies: ['cors'], facts: [] }],
    [['audit', 'file'], undefined],
    [['graphql', 'policies', 'cors'], undefined],
  ])('%j', (path, expected) => {
    expect(of(path)).toEqual(expected);
  });

  it('is not what it says for itself', () => {
    expect(of(['defaults', 'policies', 'cors'], { policies: [{ cors: 'off' }] })).toBeUndefined();
    expect(of(['access', 0], { policies: [{ authorization: {} }] })).toBeUndefined();
  });

  it('is what a section says of it that is no route of the file', () => {
    expect(of(['graphql', 'policies', 'cors'], {}, false)).toEqual({ policies: ['cors'], facts: [] });
  });
});

describe('a fault', () => {
  const fault = (key: string, message: string) => ({ file: 'g.yaml', key, message });

  it('is sure where it is about something else', () => {
    const some = parts(
      [
        ['upstreams', 'users', 'targets'],
        ['audit', 'file'],
        ['modules', 0],
      ],
      ['home'],
    );
    expect(some.isSure(fault('routes[a].upstream', 'there is no upstream "shop"'))).toBe(true);
    expect(some.isSure(fault('routes[a].upstream', 'there is no upstream "users"'))).toBe(false);
    expect(some.isSure(fault('upstreams[users].tls.ca', 'no such file'))).toBe(false);
    expect(some.isSure(fault('upstreams[users2].tls.ca', 'no such file'))).toBe(true);
    expect(some.isSure(fault('audit.file', 'no such folder'))).toBe(false);
    expect(some.isSure(fault('auditors', 'no such file'))).toBe(true);
    expect(some.isSure(fault('graphql', 'there is no GraphQL door'))).toBe(false);
    expect(some.isSure(fault('contracts.hide', 'there is no route "home"'))).toBe(false);
  });

  it('is not sure where it is about upstreams, and these are unknown', () => {
    const lost = parts([['upstrems']]);
    expect(lost.isSure(fault('', 'the call a.b needs the upstream "a", which is not configured'))).toBe(
      false,
    );
    expect(lost.isSure(fault('routes[a].policies.cors', 'expected a list'))).toBe(true);
  });
});
