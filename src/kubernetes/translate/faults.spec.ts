import { expect, it } from '@jest/globals';
import { ObjectFault, unsupported } from './faults.ts';

it('unsupported names the field, and has the reason of the specification', () => {
  expect(unsupported('rules[0].retry.backoff')).toMatchObject({
    reason: 'UnsupportedValue',
    message: 'rules[0].retry.backoff: is not supported',
  });
  expect(unsupported('f', 'expected a path')).toBeInstanceOf(ObjectFault);
});
