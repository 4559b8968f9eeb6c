import { describe, expect, it } from '@jest/globals';
import { bucketOf, bucketStart, FAILED, FLOW_BUCKETS, REFUSED, WELL } from './flow.ts';
import { Flows } from './flows.ts';

describe('bucketOf', () => {
  it('puts each time into the bucket that begins at or before it, up to hours', () => {
    for (const ms of [
      0, 0.01, 0.0625, 0.1, 0.125, 0.2, 1, 1.4, 1.5, 7, 999, 1000, 30_000, 40_000, 4e7, 4e9,
    ]) {
      const bucket = bucketOf(ms);
      expect(bucket).toBeLessThan(FLOW_BUCKETS);
      expect(bucketStart(bucket)).toBeLessThanOrEqual(ms);
      if (bucket > 2 && bucket < FLOW_BUCKETS - 1) expect(bucketStart(bucket + 1)).toBeGreaterThan(ms);
    }
  });

  it('has buckets that are at most half as wide as they are far', () => {
    for (let bucket = 3; bucket < FLOW_BUCKETS; bucket += 1)
      expect(bucketStart(bucket) / bucketStart(bucket - 1)).toBeLessThanOrEqual(2);
  });
});

describe('Flow', () => {
  it('is listed once as touched, whatever it counts, until it is drained', () => {
    const flows = new Flows();
    const flow = flows.of('route', 'users');
    flow.count(1, WELL);
    flow.count(2, FAILED);
    flow.count(0, REFUSED);
    expect(flow).toMatchObject({ errors: 1, refused: 1, sumMs: 3, maxMs: 2 });
    expect(flows.takeTouched()).toEqual([flow]);
    flow.drain();
    expect(flows.takeTouched()).toEqual([]);
    flow.count(1, WELL);
    expect(flows.takeTouched()).toEqual([flow]);
  });

  it('tells a bounded number of codes apart', () => {
    const flow = new Flows().of('route', 'users');
    for (let i = 0; i < 100; i += 1) flow.say(`code ${i}`);
    expect(flow.codes?.size).toBe(33);
    expect(flow.codes?.get('other')).toBe(68);
  });
});

describe('Flows', () => {
  it('makes no more than it may: the rest is counted together', () => {
    const flows = new Flows(3);
    for (let i = 0; i < 50; i += 1) flows.of('target', `it 10.0.0.${i}:80`).count(1, WELL);
    expect(flows.size).toBe(4);
    expect(flows.find('target', 'other')?.sumMs).toBe(47);
  });

  it('forgets what is gone, and gives its number to nobody else', () => {
    const flows = new Flows();
    const { id } = flows.of('route', 'users');
    flows.forget('route', ['users']);
    expect(flows.byId(id)).toBeUndefined();
    expect(flows.of('route', 'users').id).not.toBe(id);
  });
});
