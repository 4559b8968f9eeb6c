import { describe, expect, it } from '@jest/globals';
import { renderPath, routeIdAt, valueAt, type ConfigPath } from './config-path.ts';

const ROOT = {
  routes: [{ id: 'users', match: { headers: { 'x.beta': '1' } } }, { match: {} }, { id: '' }],
  list: [[1]],
};

describe('renderPath', () => {
  it.each<[ConfigPath, string]>([
    [[], ''],
    [['routes', 0, 'match', 'headers', 'x.beta'], 'routes[users].match.headers["x.beta"]'],
    [['routes', 1, 'match'], 'routes[1].match'],
    [['routes', 2], 'routes[2]'],
    [['list', 0, 0], 'list[0][0]'],
    [['nowhere', 5, 'max-age'], 'nowhere[5].max-age'],
    [['a b'], '["a b"]'],
  ])('renders %j', (path, text) => {
    expect(renderPath(path, ROOT)).toBe(text);
  });
});

describe('routeIdAt', () => {
  it.each<[ConfigPath, string | undefined]>([
    [['routes', 0, 'match'], 'users'],
    [['routes', 1], undefined],
    [['routes', 9], undefined],
    [['routes'], undefined],
    [['upstreams', 0], undefined],
  ])('names the route of %j', (path, id) => {
    expect(routeIdAt(path, ROOT)).toBe(id);
  });
});

describe('valueAt', () => {
  it('looks up what is there, and nothing that objects have by themselves', () => {
    expect(valueAt(ROOT, ['routes', 0, 'id'])).toBe('users');
    expect(valueAt(ROOT, [])).toBe(ROOT);
    for (const path of [['routes', 'length', 'x'], ['constructor'], ['routes', 0, '__proto__'], ['a', 'b']])
      expect(valueAt(ROOT, path)).toBeUndefined();
  });
});
