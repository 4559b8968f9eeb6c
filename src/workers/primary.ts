import { randomBytes } from 'node:crypto';
import cluster from 'node:cluster';
import { AdminAccess } from '../admin/access/admin-access.ts';
import type { Environment } from '../config/env.schema.ts';
import { Changes, type ChangeKind, type NotedChange } from '../telemetry/changes.ts';
import { accessFamilies } from '../telemetry/admin-metrics.ts';
import { LineBuffer } from '../telemetry/line-buffer.ts';
import { LogLevel } from '../telemetry/log-level.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { Crew } from './crew.ts';
import { CrewMetrics } from './crew-metrics.ts';
import type { EndReason } from './crew-times.ts';
import { JointConfigDesk } from './joint-config-desk.ts';
import { JointReloads } from './joint-reloads.ts';
import type { Member } from './member.ts';
import type { Places } from './messages.ts';
import { OperatorsDoor } from './operators-door.ts';
import { Turns } from './turns.ts';

const TICKET_SECRET_BYTES = 32;
/** What a worker may take beyond what it is given for exchanges, in ms; less than what this process is given. */
const GOODBYE_MS = 4000;
const OF_ALL: ReadonlySet<ChangeKind> = new Set(['reload', 'certificate', 'order', 'canary']);

/** The process that keeps the workers of a gateway. It serves no client: the workers do, on listeners that they share. */
export class Primary {
  readonly logger: Logger;
  readonly #turns = new Turns<unknown>(1);
  readonly #err = new LineBuffer({ fd: 2 });
  readonly #environment: Environment;
  readonly #file: string;
  readonly #crew: Crew;
  readonly #metrics: CrewMetrics;
  readonly #reloads: JointReloads;
  readonly #door: OperatorsDoor;
  readonly #level: LogLevel;
  readonly #changes = new Changes();
  readonly #ticketSecret = randomBytes(TICKET_SECRET_BYTES);
  #isClosing = false;

  constructor(environment: Environment, file: string) {
    const {
      workers: wanted,
      drainDelayMs,
      shutdownTimeoutMs,
      adminPort: port,
      adminHost: host,
    } = environment;
    const lines = new LineBuffer({ fd: 1, turns: this.#turns.of(this) });
    const logger = (this.logger = createLogger(environment.logLevel, lines));
    this.#level = new LogLevel(logger);
    this.#environment = environment;
    this.#file = file;
    this.#crew = new Crew({
      wanted,
      leaveMs: 2 * drainDelayMs + shutdownTimeoutMs + GOODBYE_MS,
      silentMs: environment.workerTimeoutMs,
      logger,
      member: {
        err: this.#err,
        turns: this.#turns,
        begin: (member) => ({
          ticketSecret: this.#ticketSecret,
          text: this.#reloads.begin(member),
          place: this.#reloads.place,
          waits: false,
        }),
        config: new JointConfigDesk(() => this.#reloads),
        changed: ({ slot }, change) => this.#changed(slot, change),
        agree: (member, round) => this.#reloads.agree(member, round),
        listening: (member, places) => this.#listening(member, places),
        lastMetrics: (member, families) => void this.#metrics.told(member, families),
      },
      ended: (member, reason) => this.#ended(member, reason),
      lost: () => this.#lost(),
    });
    const access = new AdminAccess(environment, logger);
    this.#metrics = new CrewMetrics(
      () => this.#crew.all,
      wanted,
      () => accessFamilies(access.state),
    );
    this.#reloads = new JointReloads({
      file,
      logger,
      members: () => this.#crew.listening,
      ended: (outcome) => this.#metrics.reloaded(outcome),
    });
    this.#door = new OperatorsDoor({
      crew: this.#crew,
      metrics: this.#metrics,
      level: this.#level,
      changes: this.#changes,
      access,
      logger,
      port,
      host,
    });
  }

  /** Starts all workers. @throws {Error} when the first one does not start; nothing listens then. */
  async start(): Promise<void> {
    if (cluster.isWorker)
      throw new Error('WORKERS is for a process of its own; what has started this one has several itself');
    cluster.setupPrimary({ stdio: ['ignore', 'inherit', 'pipe', 'ipc'], serialization: 'advanced' });
    // Whatever ends this process: a worker that hangs would not hear of it, and hold what clients have sent for good.
    process.once('exit', () => this.#crew.kill());
    await this.#reloads.read();
    const adminUrl = await this.#door.listen();
    try {
      await this.#crew.start();
    } catch (error) {
      this.#door.close();
      await new Promise<void>((resolve) => this.#err.flush(resolve));
      throw error;
    }
    if (this.#isClosing) return;
    this.#changes.note({ kind: 'start', text: `started with ${this.#environment.workers} workers` });
    this.#metrics.start();
    const [places] = this.#crew.listening.map((member) => member.places);
    const { urls = [], files = [] } = places ?? {};
    if (this.#environment.watchesConfig) this.#reloads.watch(files);
    const { serving, wanted } = this.#crew.workforce;
    const where = urls.length > 1 ? { urls } : { url: urls[0] };
    this.logger.info({ ...where, adminUrl, config: this.#file, workers: wanted, serving }, 'listening');
  }

  /** Has all workers read the file again. */
  reload(trigger: string): Promise<unknown> {
    return this.#reloads.reload(trigger);
  }

  /** Has all workers restarted, one after the other. */
  restart(trigger: string): void {
    this.#crew.restart(trigger);
  }

  /** Has all workers drained and ended. @throws {Error} when one of them had to be killed, or failed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#reloads.close();
    this.#metrics.stop();
    const isClean = await this.#crew.stop();
    this.#door.close();
    await new Promise<void>((resolve) => this.#err.flush(resolve));
    if (!isClean) throw new Error('a worker did not end as it should');
  }

  /** Ends what is under way in all workers. */
  cutOff(): void {
    this.#crew.cutOff();
  }

  #listening(member: Member, places: Places): void {
    member.places = places;
    this.#crew.tell(member);
    this.#reloads.catchUp(member);
    this.#door.keep(member);
    this.#changes.note({ kind: 'worker', text: `worker ${member.slot} listens` });
  }

  #ended(member: Member, reason: EndReason): void {
    this.#metrics.ended(member, reason);
    this.#changes.note({ kind: 'worker', text: `worker ${member.slot} has ended: ${reason}` });
  }

  // What concerns all of them is nobody's own.
  #changed(slot: number, change: NotedChange): void {
    this.#changes.take(OF_ALL.has(change.kind) ? change : { ...change, worker: slot });
  }

  #lost(): void {
    this.logger.fatal('no worker lives, and none starts: the gateway ends');
    this.#door.close();
    this.logger.flush(() => process.exit(1));
  }
}
