import { describe, expect, it } from '@jest/globals';
import { readYaml } from '../config/yaml-reader.ts';
import { withAdded } from './added-text.ts';

const NOTHING = { routes: [], upstreams: new Map(), listeners: [] };
const PARTS = {
  routes: [{ id: 'new', match: { path: '/new' } }],
  upstreams: new Map([['added', { targets: ['http://a.test'] }]]),
  listeners: [{ port: 8443 }],
};
const valueOf = (text: string): unknown => readYaml(text, 'gateway.yaml', { NAME: 'filled' }).value;

describe('withAdded', () => {
  it.each([
    ['no sections', 'version: 1\n'],
    ['no line end', 'version: 1'],
    [
      'blocks',
      'version: 1\nroutes:\n  - id: old\n    match: { path: /old }\nupstreams:\n  one:\n    targets: [http://b.test]\n',
    ],
    [
      'a list as far left as its key',
      'version: 1\nroutes:\n- id: old\n  match: { path: /old }\n\n# end\ntiers: {}\n',
    ],
    [
      'deeper blocks and comments',
      'version: 1\nroutes: # ours\n    # first\n    - id: old\n\n    # last\nupstreams:\n    one: { targets: [http://b.test] }\n',
    ],
    [
      'flows',
      'version: 1\nroutes: [{ id: old }, { id: older }]\nupstreams: { one: {} } # none\nlisteners: [{ port: 1 }]\n',
    ],
    ['empty flows and nulls', 'version: 1\nroutes: []\nupstreams: {}\nlisteners: ~\n'],
    ['empty sections', 'version: 1\nroutes:\nupstreams:\n'],
    ['a flow over several lines', 'version: 1\nroutes: [\n  { id: old },\n  { id: older }\n]\ntiers: {}\n'],
  ])('adds to a text with %s', (_what, text) => {
    const before = (valueOf(text) ?? {}) as Record<string, unknown>;
    const list = (key: string): unknown[] => (before[key] ?? []) as unknown[];
    expect(valueOf(withAdded(text, PARTS))).toEqual({
      ...before,
      routes: [...list('routes'), ...PARTS.routes],
      listeners: [...list('listeners'), ...PARTS.listeners],
      upstreams: { ...(before['upstreams'] as object | null), ...Object.fromEntries(PARTS.upstreams) },
    });
  });

  it('leaves a text as it is where nothing is added', () => {
    expect(withAdded('version: 1\nroutes: []\n', NOTHING)).toBe('version: 1\nroutes: []\n');
  });

  it('leaves lines before the additions where they are', () => {
    const text = 'version: 1\nroutes:\n  - id: old\n';
    expect(withAdded(text, { ...NOTHING, routes: PARTS.routes }).startsWith(text)).toBe(true);
  });

  it('fills in variables of the file, and none that a cluster names', () => {
    const text = withAdded('version: ${NAME}\n', { ...NOTHING, routes: [{ id: '${NAME} $${NAME}' }] });
    expect(valueOf(text)).toEqual({ version: 'filled', routes: [{ id: '${NAME} $${NAME}' }] });
  });
});
