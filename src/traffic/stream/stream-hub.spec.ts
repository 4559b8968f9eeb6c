import { beforeEach, describe, expect, it } from '@jest/globals';
import { compileRoutes, snapshotsOf } from '../../../test/support/routes.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { Overview } from '../overview.ts';
import { Traffic } from '../traffic.ts';
import {
  MOST_STREAMS,
  MOST_STREAMS_OF_ONE,
  StreamHub,
  type StreamSink,
  type ViewFault,
} from './stream-hub.ts';
import type { ViewQuery } from './view-content.ts';

class Sink implements StreamSink {
  writableNeedDrain = false;
  destroyed = false;
  text = '';
  write(text: string): void {
    this.text += text;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

const PROCESS: ViewQuery = { view: 'process', range: '10m', from: 0, n: 100 };
const ROUTES: ViewQuery = { ...PROCESS, view: 'routes' };

describe('StreamHub', () => {
  let hub: StreamHub;
  let metrics: Metrics;
  let overview: Overview;
  let faults: Parameters<ViewFault>[0][];

  beforeEach(() => {
    metrics = new Metrics();
    const { snapshots, reloads } = snapshotsOf(compileRoutes([{ path: '/a', id: 'one' }]));
    faults = [];
    overview = new Overview({ traffic: new Traffic(metrics), metrics, snapshots, reloads });
    hub = new StreamHub(overview, (fault) => void faults.push(fault));
  });

  it('makes a view once for all who show it, and sends them the same', async () => {
    const sinks = [new Sink(), new Sink(), new Sink()];
    for (const sink of sinks) await hub.open(ROUTES, { sink, who: 'it' });
    expect(hub.views).toBe(1);
    expect(sinks[0]?.text).toContain('event: dict');
    expect(new Set(sinks.map(({ text }) => text.replace(/"at":"[^"]*"/, ''))).size).toBe(1);
  });

  it('sends nothing to who takes nothing, and cuts it off after half a minute', async () => {
    const sink = new Sink();
    await hub.open(PROCESS, { sink, who: 'it' });
    const before = sink.text;
    sink.writableNeedDrain = true;
    for (let i = 0; i < 30; i += 1) await hub.tick();
    expect([sink.text, sink.destroyed]).toEqual([before, false]);
    await hub.tick();
    expect([sink.destroyed, hub.size]).toEqual([true, 0]);
  });

  it('keeps who is silent alive with a comment each 15 s', async () => {
    const sink = new Sink();
    await hub.open({ ...ROUTES, q: 'no such route' }, { sink, who: 'it' });
    const before = sink.text.length;
    for (let i = 0; i < 15; i += 1) await hub.tick();
    expect(sink.text.slice(before)).toContain(': still here');
  });

  it('ends a stream after 15 min, so that who reads it is asked again who it is', async () => {
    const sink = new Sink();
    await hub.open(PROCESS, { sink, who: 'it' });
    for (let i = 0; i < 900; i += 1) await hub.tick();
    expect(sink.destroyed).toBe(false);
    await hub.tick();
    expect([sink.destroyed, hub.size]).toEqual([true, 0]);
  });

  it('keeps a bounded number of views, and none that nobody has looked at for a minute', async () => {
    for (let i = 0; i < 300; i += 1)
      (await hub.open({ ...PROCESS, from: i }, { sink: new Sink(), who: 'it' }))();
    expect(hub.views).toBeLessThanOrEqual(128);
    for (let i = 0; i < 61; i += 1) await hub.tick();
    expect([hub.views, hub.size]).toEqual([0, 0]);
  });

  it('tells of a view that cannot be made, as news once for each fault, and goes on with the others', async () => {
    const [failing, well] = [new Sink(), new Sink()];
    await hub.open(ROUTES, { sink: failing, who: 'it' });
    await hub.open(PROCESS, { sink: well, who: 'it' });
    const tableOf = overview.rows.table.bind(overview.rows);
    overview.rows.table = () => Promise.reject(new Error('no table'));
    for (let i = 0; i < 3; i += 1) await hub.tick();
    overview.rows.table = () => Promise.reject(new Error('another fault'));
    await hub.tick();
    expect(faults.map(({ view, isNew }) => [view, isNew])).toEqual([
      ['routes', true],
      ['routes', false],
      ['routes', false],
      ['routes', true],
    ]);
    expect([failing.destroyed, well.destroyed]).toEqual([false, false]);
    overview.rows.table = tableOf;
    await hub.tick();
    expect(faults).toHaveLength(4);
  });

  it('tells of no more than 100 faults one by one, and of all others as no news', async () => {
    await hub.open(ROUTES, { sink: new Sink(), who: 'it' });
    for (let i = 0; i < 150; i += 1) {
      overview.rows.table = () => Promise.reject(new Error(`fault ${i}`));
      await hub.tick();
    }
    expect([faults.length, faults.filter(({ isNew }) => isNew).length]).toEqual([150, 100]);
  });

  it('gives nobody more than their share, and nobody a place where all are taken', async () => {
    const open = (who: string) => hub.open(PROCESS, { sink: new Sink(), who });
    const ends = await Promise.all(Array.from({ length: MOST_STREAMS_OF_ONE }, () => open('one')));
    expect([hub.refusal('one'), hub.refusal('another')]).toEqual(['share', undefined]);
    ends[0]?.();
    expect(hub.refusal('one')).toBeUndefined();
    for (let i = ends.length - 1; i < MOST_STREAMS; i += 1) await open(`other ${i}`);
    expect([hub.refusal('one'), hub.refusal('new'), hub.size]).toEqual(['full', 'full', MOST_STREAMS]);
  });

  it('tells of a stream that cannot begin', async () => {
    overview.rows.table = () => Promise.reject(new Error('no table'));
    await expect(hub.open(ROUTES, { sink: new Sink(), who: 'it' })).rejects.toThrow('no table');
    expect([faults.length, hub.size]).toEqual([1, 0]);
  });

  it('tells who can be given no stream what has changed since', async () => {
    const first = await hub.once(PROCESS);
    const id = /id: (\S+)/.exec(first)?.[1];
    expect(first).toContain('event: rows');
    expect(await hub.once(ROUTES, id)).toContain('event: dict');
    expect(await hub.once(ROUTES, /id: (\S+)/.exec(await hub.once(ROUTES))?.[1])).not.toContain(
      'event: dict',
    );
  });
});
