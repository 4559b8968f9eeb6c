import { describe, expect, it } from '@jest/globals';
import { operationEnd } from './operation-end.ts';
import type { AnswerValue } from './graphql-answer.ts';
import type { OperationResult } from './operation-result.ts';

const answered = (value: object, changes: boolean): OperationResult => ({
  kind: 'answered',
  outcome: 'ok',
  value: value as AnswerValue,
  changes,
  cache: { ttlMs: 0, scope: 'principal', silent: [] },
});
const error = (code: string | undefined, ...path: string[]) => ({ message: '', path, extensions: { code } });

describe('how an operation has ended', () => {
  it.each<[string, object, boolean, string[]]>([
    ['a query tells all its faults', { data: { a: 1, b: null }, errors: [error('circuit-open', 'b')] }, false, ['circuit-open']], // prettier-ignore
    ['a mutation that failed tells why', { data: { a: null }, errors: [error('conflict', 'a')] }, true, ['conflict']], // prettier-ignore
    ['a mutation that failed as a whole does', { data: null, errors: [error('conflict', 'a')] }, true, ['conflict']], // prettier-ignore
    ['a mutation that has done something shows that', { data: { a: { b: null } }, errors: [error('circuit-open', 'a', 'b')] }, true, []], // prettier-ignore
    ['a mutation that is null on purpose has done something', { data: { a: null, b: null }, errors: [error('circuit-open', 'b')] }, true, []], // prettier-ignore
    ['what nobody knows is internal', { data: null, errors: [error('MINE', 'a'), error(undefined, 'b')] }, true, ['internal', 'internal']], // prettier-ignore
  ])('%s', (_what, value, changes, codes) => {
    const { wasRun, faults } = operationEnd(answered(value, changes));
    expect([wasRun, faults.map(({ code }) => code)]).toEqual([true, codes]);
  });

  it('is that it was not run, where its request was refused', () => {
    const refused = { kind: 'refused', why: 'document', value: { errors: [] } } as const;
    expect(operationEnd(refused)).toEqual({ wasRun: false, changes: false, faults: [] });
  });
});
