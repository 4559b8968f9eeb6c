import { describe, expect, it } from '@jest/globals';
import { AssertionError } from 'node:assert';
import { Problem } from '../../problems/problem.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import { isCodeDefect } from './code-defect.ts';

const thrownBy = (code: () => unknown): unknown => {
  try {
    return code();
  } catch (error) {
    return error;
  }
};
const typeError = thrownBy(() => (undefined as unknown as { name: string }).name);

describe('isCodeDefect', () => {
  it.each([
    ['what the engine says of undefined', typeError],
    ['a name that is not there', thrownBy(() => new Function('return nothingOfThatName')())],
    ['a length that makes no sense', thrownBy(() => new Array(-1))],
    ['an assertion', new AssertionError({ message: 'no' })],
    ['a refusal of ours', new PlainFault('once per element')],
    [
      'a problem made of one, whoever has named it',
      new Problem('internal', { cause: new Problem('internal', { cause: typeError }) }),
    ],
  ])('is %s', (_, error) => expect(isCodeDefect(error)).toBe(true));

  it.each([
    ['a fault of an upstream, also over a TypeError', new Problem('upstream-timeout', { cause: typeError })],
    ['a fetch that found nobody', new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })],
    ['text that is no JSON', thrownBy(() => JSON.parse('<html>'))],
    ['an error of a library', new Error('sold out')],
    ['an internal problem of such', new Problem('internal', { cause: new Error('sold out') })],
    ['what is no error', 'TypeError'],
  ])('is not %s', (_, error) => expect(isCodeDefect(error)).toBe(false));
});
