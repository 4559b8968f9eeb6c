import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { MetricFamily } from '../telemetry/metric-family.ts';
import { Channel, type Peer } from './channel.ts';
import { CrewMetrics } from './crew-metrics.ts';
import type { Member, MemberState } from './member.ts';
import type { News, Orders, Questions, Requests } from './messages.ts';

/** One end of a pipe between two processes, both of which are this one. */
class End extends EventEmitter implements Peer {
  other: End | undefined;

  send(message: unknown, sent: (error: Error | null) => void): void {
    setImmediate(() => this.other?.emit('message', structuredClone(message)));
    sent(null);
  }
}

const counter = (name: string, value: number, labels = {}): MetricFamily => ({
  name,
  help: 'Counted.',
  type: 'counter',
  values: [{ labels, value }],
});
const gauge = (name: string, value: number): MetricFamily => ({ ...counter(name, value), type: 'gauge' });

/** What the crew has of a worker that answers over its channel. */
class Seat {
  state: MemberState = 'serving';
  readonly startedAt = 1_700_000_000_000;
  readonly places = {};
  readonly channel: Channel<Questions, Orders, Requests, News>;
  readonly slot: number;
  families: readonly MetricFamily[] = [];
  /** Whether it gives no answer. */
  isSilent = false;

  constructor(slot: number) {
    this.slot = slot;
    const [here, there] = [new End(), new End()];
    [here.other, there.other] = [there, here];
    this.channel = new Channel(here, { answers: {}, hears: {} } as never);
    const metrics = ({ gauges }: { gauges: boolean }): unknown =>
      this.isSilent
        ? new Promise(() => undefined)
        : this.families.filter(({ type }) => gauges || type !== 'gauge');
    // Hears until nobody has it any more.
    void new Channel(there, { answers: { metrics }, hears: {} } as never);
  }

  get member(): Member {
    return this as unknown as Member;
  }
}

let seats: Seat[];
let metrics: CrewMetrics;
beforeEach(() => {
  seats = [new Seat(1), new Seat(2)];
  metrics = new CrewMetrics(() => seats.map(({ member }) => member), 2);
});
afterEach(() => metrics.stop());

const page = async (): Promise<string> => String(await metrics.page('text'));
const series = async (name: string): Promise<readonly string[]> =>
  (await page()).split('\n').filter((line) => line.startsWith(name));
const [one, two] = [(): Seat => seats[0] as Seat, (): Seat => seats[1] as Seat];

describe(CrewMetrics, () => {
  it('adds up what is counted, and tells apart by worker what is not', async () => {
    one().families = [counter('asked_total', 2, { route: 'a' }), gauge('open', 5)];
    two().families = [counter('asked_total', 3, { route: 'a' }), gauge('open', 7)];
    expect(await series('asked_total')).toEqual(['asked_total{route="a"} 5']);
    expect(await series('open')).toEqual(['open{worker="1"} 5', 'open{worker="2"} 7']);
  });

  it('counts on what a worker has counted that is gone, once', async () => {
    one().families = [counter('asked_total', 2), gauge('open', 5)];
    await page();
    metrics.ended(one().member, 'crashed');
    seats = [two(), new Seat(1)];
    expect(await series('asked_total')).toEqual(['asked_total 2']);
    two().families = [counter('asked_total', 1)];
    expect(await series('asked_total')).toEqual(['asked_total 3']);
    expect(await series('open')).toEqual([]);
    expect(await series('gatehouse_worker_ends_total')).toContain(
      'gatehouse_worker_ends_total{worker="1",reason="crashed"} 1',
    );
  });

  it('takes the last word of a worker for what it had counted', async () => {
    one().families = [counter('asked_total', 2)];
    await page();
    metrics.told(one().member, [counter('asked_total', 9), gauge('open', 1)]);
    metrics.ended(one().member, 'left');
    seats = [two()];
    expect(await series('asked_total')).toEqual(['asked_total 9']);
  });

  it('shows what a worker had counted that gives no answer for now', async () => {
    one().families = [counter('asked_total', 2)];
    await page();
    one().isSilent = true;
    two().families = [counter('asked_total', 4)];
    expect(await series('asked_total')).toEqual(['asked_total 6']);
  });

  it('counts a reload of all workers as one', async () => {
    for (const seat of seats)
      seat.families = [counter('gatehouse_config_reloads_total', 1, { outcome: 'reloaded' })];
    metrics.reloaded('reloaded');
    metrics.reloaded('faulty');
    const found = await series('gatehouse_config_reloads_total');
    expect(found).toContain('gatehouse_config_reloads_total{outcome="reloaded"} 1');
    expect(found).toContain('gatehouse_config_reloads_total{outcome="faulty"} 1');
    expect(found).toContain('gatehouse_config_reloads_total{outcome="unchanged"} 0');
  });

  it('tells how many workers there are, by how they are, and how many there should be', async () => {
    one().state = 'leaving';
    seats.push(new Seat(1));
    expect(await series('gatehouse_workers')).toEqual([
      'gatehouse_workers{state="starting"} 0',
      'gatehouse_workers{state="serving"} 2',
      'gatehouse_workers{state="leaving"} 1',
      'gatehouse_workers_wanted 2',
    ]);
    expect(await series('gatehouse_worker_started')).toEqual([
      'gatehouse_worker_started_timestamp_seconds{worker="1 leaving"} 1700000000',
      'gatehouse_worker_started_timestamp_seconds{worker="2"} 1700000000',
      'gatehouse_worker_started_timestamp_seconds{worker="1"} 1700000000',
    ]);
  });
});
