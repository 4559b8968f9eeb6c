import { describe, expect, it } from '@jest/globals';
import { Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { testExchange } from '../../bff-app.fixture.ts';
import { firstRefused } from './field-guard.ts';
import { grant } from './field-policies.ts';
import type { Requirement } from './field-requirements.ts';
import type { ProtectedPart } from './protected-part.ts';
import { visible, type Viewer } from './visible-part.ts';

const exchange: Exchange = testExchange({ headers: {} }, {} as Exchange['response']);

/** Asks that an object is open; one that says `breaks` cannot be told of. */
function open(masks: boolean): Requirement {
  const decide = (_: unknown, __: unknown, parent: unknown): void => {
    const { isOpen, breaks } = parent as { isOpen?: boolean; breaks?: boolean };
    if (breaks === true) throw new TypeError('broken');
    if (isOpen !== true) throw new Problem('permission-denied');
  };
  return { stage: { field: { asksParent: true, decide } }, masks, by: 'Thing.name', mask: '***' };
}

const part = (of: Partial<ProtectedPart>): ProtectedPart => ({
  guards: [],
  args: {},
  ofObjects: [],
  inner: new Map(),
  ...of,
});
const names = (guard: Requirement): ProtectedPart =>
  part({ inner: new Map([['name', part({ guards: [guard] })]]) });
const denied: Requirement[] = [];
const viewer: Viewer = {
  lacking: new Set(),
  refused: (requirements, args, parent) => firstRefused(requirements, exchange, args, parent),
  denied: (one) => void denied.push(one),
};
const shown = (value: unknown, of: ProtectedPart) => visible(value, of, viewer, {});

describe('a part of a value that is judged by each object', () => {
  it('is masked in the objects that the condition does not hold for, and copied only there', () => {
    const seen = { isOpen: true, name: 'a' };
    const list = [seen, { name: 'b' }];
    const { value, withheld } = shown(list, names(open(true)));
    expect(value).toEqual([seen, { name: '***' }]);
    expect((value as unknown[])[0]).toBe(seen);
    expect(list[1]).toEqual({ name: 'b' });
    expect(withheld).toBeUndefined();
    expect(shown([seen], names(open(true))).value).toEqual([seen]);
  });

  it('is masked where the condition breaks', () => {
    expect(shown({ breaks: true, name: 'a' }, names(open(true))).value).toEqual({
      breaks: true,
      name: '***',
    });
  });

  it('fails as a whole where what breaks masks nothing', () => {
    expect(() => shown({ breaks: true, name: 'a' }, names(open(false)))).toThrow(TypeError);
  });

  it('is null, said and heard of where nothing masks it', () => {
    const guard = open(false);
    expect(shown({ name: 'a' }, names(guard))).toEqual({ value: { name: null }, withheld: 'part' });
    expect(denied).toEqual([guard]);
  });

  it('is kept back whole, element by element, when the object itself asks', () => {
    const of = part({ ofObjects: [open(false)] });
    const list = [{ isOpen: true }, { name: 'b' }];
    expect(shown(list, of)).toEqual({ value: [{ isOpen: true }, null], withheld: 'part' });
    expect(shown({ name: 'b' }, of)).toEqual({ value: null, withheld: 'all' });
  });

  it('is judged by the object, and shown as JSON makes it', () => {
    const dressed = { isOpen: true, toJSON: () => ({ name: 'a' }) };
    expect(shown(dressed, names(open(true))).value).toEqual({ name: 'a' });
    expect(shown({ ...dressed, isOpen: false }, names(open(true))).value).toEqual({ name: '***' });
  });

  it('shows no mask of what something else has closed', () => {
    const inner = part({ inner: new Map([['name', part({ guards: [open(true), open(false)] })]]) });
    expect(shown({ name: 'a' }, inner).value).toEqual({ name: null });
  });
});

describe('a requirement whose stage breaks', () => {
  const breaking = (masks: boolean, stage: Requirement['stage']): Requirement => ({
    stage,
    masks,
    by: 'Thing.name',
    mask: null,
  });
  const stages: readonly Requirement['stage'][] = [
    {
      enter() {
        throw new TypeError('broken');
      },
    },
    { enter: () => Promise.reject(new TypeError('broken')) },
  ];

  it.each(stages)('masks, and fails the whole where it masks nothing', async (stage) => {
    expect([...(await grant([breaking(true, stage)], exchange))]).toEqual([]);
    await expect((async () => grant([breaking(false, stage)], exchange))()).rejects.toThrow('broken');
  });
});
