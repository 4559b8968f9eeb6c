import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { remainsOf } from './remains.ts';
import { readYaml } from './yaml-reader.ts';

const policies = z.strictObject({
  deadline: z.int().optional(),
  rateLimit: z.strictObject({ rate: z.int(), per: z.string().optional() }).optional(),
});
const schema = z
  .strictObject({
    version: z.literal(1),
    upstreams: z.record(z.string(), z.strictObject({ targets: z.array(z.string()).min(1), retry: z.int().optional() })).default({}),
    routes: z.array(z.strictObject({ id: z.string(), match: z.strictObject({ path: z.string() }), policies: policies.optional() })).default([]),
    audit: z.strictObject({ file: z.string() }).optional(),
  })
  .refine(({ audit }) => audit?.file !== 'none', { path: ['audit', 'file'], message: 'expected a file' }); // prettier-ignore

const remains = (text: string) => remainsOf(schema, readYaml(text, 'g.yaml', {}));

describe('remainsOf', () => {
  it('leaves out a policy, and the rest of its route stays', () => {
    const left = remains(
      'version: 1\nroutes:\n  - { id: a, match: { path: /a }, policies: { deadline: 5, rateLimit: { rate: x, per: 1s } } }\n',
    );
    expect(left?.value.routes).toEqual([{ id: 'a', match: { path: '/a' }, policies: { deadline: 5 } }]);
    expect(left?.cuts).toEqual({ paths: [['routes', 0, 'policies', 'rateLimit']], routeIds: [] });
  });

  it('leaves out a route that is none without its key, and finds the others where they were written', () => {
    const left = remains('version: 1\nroutes:\n  - { match: { path: /a } }\n  - { id: b, match: { path: /b } }\n');
    expect(left?.value.routes).toEqual([{ id: 'b', match: { path: '/b' } }]);
    expect(left?.document.locate(['routes', 0, 'match'])).toMatchObject({ line: 4 });
  }); // prettier-ignore

  it('names routes that are gone, and those that lack what they match', () => {
    const left = remains('version: 1\nroutes:\n  - { id: a, match: { path: 7 } }\n  - { id: b, x: 1 }\n  - { id: [c] }\n');
    expect(left?.value.routes.map(({ id, match }) => [id, match.path])).toEqual([
      ['a', '/'],
      ['b', '/'],
    ]);
    expect(left?.cuts.paths).toContainEqual(['routes', 1, 'x']);
  }); // prettier-ignore

  it('leaves out an upstream that has none of what it needs, and a key where that is enough', () => {
    const left = remains(
      'version: 1\nupstreams: { a: { targets: [] }, b: { targets: [x], retry: often } }\n',
    );
    expect(left?.value.upstreams).toEqual({ b: { targets: ['x'] } });
    expect(left?.cuts.paths).toContainEqual(['upstreams', 'a']);
  });

  it('does without a version that was not said, but not with another one', () => {
    expect(remains('routes: []\n')?.value.version).toBe(1);
    expect(remains('version: 2\nroutes: []\n')).toBeUndefined();
    expect(remains('just a text')).toBeUndefined();
    expect(remains('[]')).toBeUndefined();
  });

  it('leaves out what a variable that is not set stands for', () => {
    const left = remains('version: 1\nupstreams: { a: { targets: ["${NONE}"], retry: 1 } }\n');
    expect(left?.cuts.paths).toContainEqual(['upstreams', 'a']);
  });

  it('tells what only a check of the whole finds, where what it is about is right', () => {
    const broken = 'routes:\n  - { id: a, match: { pth: /a } }\n';
    expect(remains(`version: 1\naudit: { file: none }\n${broken}`)?.found).toMatchObject([
      { path: ['audit', 'file'] },
    ]);
    expect(remains(`version: 1\naudit: { file: none, more: 1 }\n${broken}`)?.found).toEqual([]);
  });
});
