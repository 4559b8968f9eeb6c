import { describe, expect, it } from '@jest/globals';
import { permissionsOf } from './permission-set.ts';

describe('permissionsOf', () => {
  it.each<[held: string, asked: string, implied: boolean]>([
    ['orders.read', 'orders.read', true],
    ['orders', 'orders.read', false],
    ['orders.read', 'orders', false],
    ['orders.*', 'orders.read', true],
    ['orders.*', 'orders.read.all', true],
    ['orders.*', 'orders', false],
    ['orders.*', 'orders.', false],
    ['orders.*', 'ordersx.read', false],
    ['*', 'anything.at.all', true],
    ['*.read', 'orders.read', true],
    ['*.read', 'orders.items.read', false],
    ['orders.*.read', 'orders.items.read', true],
    ['orders.*.read', 'orders.read', false],
    ['ord*', 'orders', false],
    ['orders:*', 'orders:read', true],
    ['orders:*', 'orders.read', false],
    ['orders.*', 'orders.*', true],
    ['orders.read', 'orders.*', false],
    ['Orders.*', 'orders.read', false],
  ])('%s is %s: %p', (held, asked, implied) => {
    expect(permissionsOf([held]).implies(asked)).toBe(implied);
  });
});
