import type { INestApplicationContext } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RestartBegin } from '../admin/admin-orders.ts';
import { AdminListener } from '../admin/admin.listener.ts';
import type { WorkerPlace } from '../admin/relayed-requests.ts';
import { Draining } from '../health/draining.ts';
import { HealthController } from '../health/health.controller.ts';
import { Siblings } from '../health/workforce.ts';
import { namedFiles } from '../snapshot/named-files.ts';
import { Reloads } from '../snapshot/reloads.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import type { LineTurns } from '../telemetry/line-buffer.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { ConfigDesk } from '../snapshot/config-desk.ts';
import type { Override } from '../upstreams/overrides/target-overrides.ts';
import { Channel, type Peer } from './channel.ts';
import { AskedConfigDesk } from './joint-config-desk.ts';
import type { Beginning, InForce, News, Orders, Questions, Requests } from './messages.ts';
import type { MetricFamily } from '../telemetry/metric-family.ts';
import { turnsOver } from './turns.ts';
import { WORKER_VARIABLE } from './worker-variable.ts';

const LOOK_EVERY_MS = 25;
/** A worker that takes another one's place and does not get to know its targets is better than none. */
const LONGEST_WAIT_MS = 30_000;

/** How a worker leaves. */
export interface Leaving {
  leave(): void;
  cutOff(): void;
}

/** The place of this process among those that serve together: what it hears of the primary, and tells it. */
export class WorkerSeat {
  /** Which one it is, from 1. */
  readonly number: number;
  readonly #channel: Channel<Requests, News, Questions, Orders>;
  #beginning: Beginning | undefined = undefined;
  #app: INestApplicationContext | undefined = undefined;
  #leaving: Leaving | undefined = undefined;

  private constructor(number: number) {
    this.number = number;
    this.#channel = new Channel<Requests, News, Questions, Orders>(process as Peer, {
      answers: {
        admin: (request) => this.#get(AdminListener).answer({ ...request, worker: this.#place() }),
        alive: () => undefined,
        metrics: ({ gauges }) => this.#families(gauges),
        reload: (asked) => this.#reload(asked),
        overrides: () => this.#get(Snapshots).current.upstreams.overrides.all(),
      },
      hears: {
        workforce: (workforce) => this.#tell((app) => (app.get(Siblings).workforce = workforce)),
        place: (place) => this.#tell((app) => app.get(Reloads).placed(place)),
        overrides: (overrides) => this.#tell((app) => override(app, overrides)),
        leave: ({ othersServe }) => this.#leave(othersServe),
        cutOff: () => this.#leaving?.cutOff(),
      },
    });
  }

  /** Takes the place that a primary has started the process for. @throws {Error} for a process that was started otherwise. */
  static async take(): Promise<WorkerSeat> {
    const number = Number(process.env[WORKER_VARIABLE]);
    // Programs that it starts, such as those of a kubeconfig, are no workers.
    Reflect.deleteProperty(process.env, WORKER_VARIABLE);
    if (process.send === undefined || !Number.isInteger(number))
      throw new Error(`${WORKER_VARIABLE} is for workers that a gateway starts itself`);
    const seat = new WorkerSeat(number);
    seat.#beginning = await seat.#channel.ask('begin', undefined);
    return seat;
  }

  /** What it begins with. */
  get beginning(): Beginning {
    if (this.#beginning === undefined) throw new Error('the primary has not answered yet');
    return this.#beginning;
  }

  /** Has all workers restarted, this one too. */
  readonly restart = (by: string): Promise<RestartBegin> => this.#channel.ask('restart', { by });

  /** What the primary knows of configurations. */
  get config(): ConfigDesk {
    return new AskedConfigDesk(this.#channel);
  }

  /** When it may write to the log. */
  get turns(): LineTurns {
    return turnsOver(this.#channel);
  }

  /** Goes by what the primary says from now on. */
  attach(app: INestApplicationContext, leaving: Leaving): void {
    this.#app = app;
    this.#leaving = leaving;
    app.get(Reloads).placed(this.beginning.place);
    app.get(Metrics).changes.listen((change) => void this.#channel.tell('changed', change));
    app.get(Siblings).workforce = { serving: 0, wanted: 0, isComplete: this.beginning.waits };
  }

  /** Before it listens: in another one's place it waits until nothing speaks against traffic. */
  async prepared(): Promise<void> {
    if (this.beginning.waits) await this.#ready(performance.now() + LONGEST_WAIT_MS);
  }

  /** It listens. */
  async listening(urls: readonly string[]): Promise<void> {
    await this.#channel.tell('listening', { urls, ...this.#inForce() });
    await this.#ready(this.beginning.waits ? 0 : Infinity);
    await this.#channel.tell('serving', undefined);
  }

  /** It will end by itself. */
  failing(): void {
    void this.#channel.tell('failing', undefined);
  }

  /** It has served all that it will; resolves once the primary will send it no connection any more. */
  async end(): Promise<void> {
    await this.#channel.ask('lastMetrics', await this.#families(false));
  }

  async #ready(until: number): Promise<void> {
    const health = this.#get(HealthController);
    while (health.awaited() !== undefined && performance.now() < until)
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
  }

  async #reload({ round, trigger, by, ...asked }: Questions['reload'][0]): Promise<Questions['reload'][1]> {
    const agree = () => this.#channel.ask('agree', { round });
    const reload = await this.#get(Reloads).reload(trigger, { ...asked, agree }, by);
    const { teams, document } = this.#get(Snapshots).current.source;
    const inForce = teams === undefined || teams.leftOut.length === 0 ? undefined : document.text;
    return { reload, inForce, ...this.#inForce() };
  }

  #inForce(): InForce {
    const { source } = this.#get(Snapshots).current;
    return { files: namedFiles(source) };
  }

  #place(): WorkerPlace {
    return { number: this.number, of: this.#get(Siblings).workforce?.wanted ?? 1 };
  }

  async #families(gauges: boolean): Promise<MetricFamily[]> {
    const { registry, teams } = this.#get(Metrics);
    const all = registry.getMetricsAsArray() as unknown as {
      readonly type: string;
      get(): MetricFamily | Promise<MetricFamily>;
    }[];
    const wanted = gauges ? all : all.filter(({ type }) => type !== 'gauge');
    const families = await Promise.all(wanted.map((metric) => metric.get()));
    // What else is in them, such as functions, could not be sent.
    return families.map(({ name, help, type, values }) => ({
      name,
      help,
      type,
      values: teams.labels(values).map(({ metricName, labels, value, exemplar }) => ({
        metricName,
        labels,
        value,
        exemplar,
      })),
    }));
  }

  #leave(othersServe: boolean): void {
    this.#tell((app) => (app.get(Draining).othersServe = othersServe));
    this.#leaving?.leave();
  }

  #tell(act: (app: INestApplicationContext) => void): void {
    if (this.#app !== undefined) act(this.#app);
  }

  #get<Provider>(type: new (...given: never[]) => Provider): Provider {
    if (this.#app === undefined) throw new Error('the worker is not there yet');
    return this.#app.get(type);
  }
}

function override(app: INestApplicationContext, overrides: readonly Override[]): void {
  for (const one of overrides) app.get(Snapshots).current.upstreams.overrides.put(one);
}
