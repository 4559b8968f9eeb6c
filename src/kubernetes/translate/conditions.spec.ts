import { expect, it } from '@jest/globals';
import { fails, holds } from './conditions.ts';

it('a condition that holds has its type as the reason, unless it says another one', () => {
  expect(holds('Accepted')).toEqual({ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' });
  expect(holds('Accepted', 'ListenersNotValid', 'm')).toMatchObject({
    reason: 'ListenersNotValid',
    message: 'm',
  });
  expect(fails('Accepted', 'Invalid', 'm')).toEqual({
    type: 'Accepted',
    status: 'False',
    reason: 'Invalid',
    message: 'm',
  });
});
