import { expect, it } from '@jest/globals';
import { faultPlaces } from './audit-event.ts';

const fault = (line: number) => ({ file: 'g.yaml', line, column: 1, key: 'routes[a]', message: 'a secret' });

it('tells where faults are, and never what stands there', () => {
  expect(faultPlaces([fault(3), { file: 'g.yaml', key: '', message: 'a secret' }])).toBe(
    'g.yaml:3 routes[a], g.yaml:',
  );
});

it('names ten, counts the others, and says nothing of none', () => {
  const text = faultPlaces(Array.from({ length: 12 }, (_, at) => fault(at + 1)));
  expect(text?.split(', ')).toHaveLength(11);
  expect(text).toMatch(/g\.yaml:10 routes\[a\], and 2 more$/);
  expect(faultPlaces([])).toBeUndefined();
});
