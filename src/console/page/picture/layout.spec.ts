import { describe, expect, it } from '@jest/globals';
import type { PictureAnswer, PictureNode } from '../data/traffic.ts';
import { byOrigin, layoutOf, neighbourhood } from './layout.ts';

const node = (id: string): PictureNode => ({
  id,
  label: id,
  rps: 1,
  errorRate: 0,
  p95: 1,
  state: 'well',
});
const picture = (rps: number): PictureAnswer => ({
  of: 'routes',
  routes: [node('r:a'), node('r:b')],
  upstreams: [node('u:x'), node('u:y')],
  targets: [node('t:y/1'), node('t:x/1')],
  edges: [
    ['r:a', 'u:y', rps, 'well'],
    ['r:b', 'u:x', rps, 'failing'],
    ['u:x', 't:x/1', rps, 'failing'],
    ['u:y', 't:y/1', rps, 'well'],
  ],
});

describe('the picture', () => {
  it('puts upstreams and targets where their lines come from', () => {
    const { upstreams, routes, edges } = picture(1);
    expect(byOrigin(upstreams, routes, edges).map(({ id }) => id)).toEqual(['u:y', 'u:x']);
  });

  it('moves nothing when traffic changes, and leaves out lines to what is not shown', () => {
    const places = ({ boxes }: ReturnType<typeof layoutOf>): unknown => boxes.map(({ x, y }) => [x, y]);
    expect(places(layoutOf(picture(1)))).toEqual(places(layoutOf(picture(900))));
    const more = { ...picture(1), edges: [['r:a', 'u:gone', 1, 'well']] as const };
    expect(layoutOf(more).wires).toEqual([]);
  });

  it('leaves bright what a selection is connected with, and ends in a circle too', () => {
    const { wires } = layoutOf(picture(1));
    expect([...neighbourhood('u:x', wires)].toSorted()).toEqual(['r:b', 't:x/1', 'u:x']);
    expect(
      neighbourhood('a', [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'a' },
      ]).size,
    ).toBe(2);
  });
});
