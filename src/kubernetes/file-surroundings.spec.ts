import { describe, expect, it } from '@jest/globals';
import { boundConfigOf, configOf, surroundingsIn } from './file-surroundings.ts';

describe('surroundingsIn', () => {
  it('is the same for the same listeners, however they are written, and another for others', () => {
    const one = surroundingsIn('version: 1\nlisteners: [{ port: 8080 }]\n');
    expect(surroundingsIn('listeners:\n  - port: 8080 # clients\nroutes: []\n')).toBe(one);
    expect(surroundingsIn('listeners: [{ port: 8080 }, { port: 9090 }]')).not.toBe(one);
    expect(surroundingsIn('version: 1')).not.toBe(one);
    expect(surroundingsIn('listeners: [{ port: 8080 }]\nidentity: { signing: { path: /keys } }')).not.toBe(
      one,
    );
    expect(surroundingsIn('listeners: [')).toBe('');
  });
});

it('binds a route to the ports that it is attached to', () => {
  const config = { id: 'a', match: { path: '/a' } };
  expect(boundConfigOf({ config, ports: [8080] })).toEqual({ id: 'a', match: { path: '/a', ports: [8080] } });
  expect(boundConfigOf({ config })).toEqual(config);
  expect(configOf({ config })).toBe(config);
});
