import { describe, expect, it } from '@jest/globals';
import { boundConfigOf, configOf, listenersIn } from './file-listeners.ts';

describe('listenersIn', () => {
  it('is the same for the same listeners, however they are written, and another for others', () => {
    const one = listenersIn('version: 1\nlisteners: [{ port: 8080 }]\n');
    expect(listenersIn('listeners:\n  - port: 8080 # clients\nroutes: []\n')).toBe(one);
    expect(listenersIn('listeners: [{ port: 8080 }, { port: 9090 }]')).not.toBe(one);
    expect(listenersIn('version: 1')).not.toBe(one);
    expect(listenersIn('listeners: [')).toBe('');
  });
});

it('binds a route to the ports that it is attached to', () => {
  const config = { id: 'a', match: { path: '/a' } };
  expect(boundConfigOf({ config, ports: [8080] })).toEqual({ id: 'a', match: { path: '/a', ports: [8080] } });
  expect(boundConfigOf({ config })).toEqual(config);
  expect(configOf({ config })).toBe(config);
});
