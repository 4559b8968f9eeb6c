import { describe, expect, it } from '@jest/globals';
import { createCompiler, defineRoute } from '../../test/support/routes.ts';
import { toyFactory, toyPolicy } from '../../test/support/toy-policy.ts';
import { compileEntrance } from './entrance.ts';

const early = toyFactory(toyPolicy('early', { before: 'match' }), {});
const other = toyFactory(toyPolicy('other', { before: 'identity' }), {});

describe('stages before a route is looked for', () => {
  it('are compiled once, from the defaults, and for no route', () => {
    expect(compileEntrance([early, other], {})).toHaveLength(1);
    const route = createCompiler([early, other]).compile(defineRoute({ path: '/a' }));
    expect(Object.keys(route.seats)).toEqual(['other']);
  });

  it('are told about what the defaults say', () => {
    const seen: unknown[] = [];
    const factory = { ...early, compile: ({ policies }: { policies: object }) => void seen.push(policies) };
    compileEntrance([factory as never], { deadline: 5, transform: 'off' });
    expect(seen).toEqual([{ deadline: 5 }]);
  });

  it('cannot be said by a route', () => {
    const route = defineRoute({ path: '/a', policies: [{ authentication: 'public', early: {} } as never] });
    expect(() => createCompiler([early]).compile(route)).toThrow(
      '`early` is decided before a route is known; say it under `defaults`',
    );
  });
});
