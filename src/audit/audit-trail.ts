import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { addressBlock } from '../exchange/address-block.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Problem } from '../problems/problem.ts';
import { lineStreamOf, type LineStream, type Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import type { Audit, AuditEvent } from './audit-event.ts';
import { auditLine } from './audit-line.ts';
import { AuditMetrics } from './audit-metrics.ts';
import { DescriptorOutput, FileOutput } from './audit-output.ts';
import { AuditWriter } from './audit-writer.ts';
import type { AuditOptions } from './audit.schema.ts';
import { denialOf, isDenial, shadowOf } from './denial.ts';
import { DenialWindow, type Suppressed } from './denial-window.ts';
import { FieldDenials } from './field-denials.ts';

const STANDARD_ERROR = 2;
const LAST_LINES_MS = 2000;
/** What the process itself does. */
const GATEWAY = Object.freeze({ type: 'gateway' } as const);

/** How the audit is: `failing` while events cannot be written. */
export type AuditState = 'off' | 'ok' | 'failing';

/** The audit events of a process: one line of JSON each, to where the configuration in force says. */
@Injectable()
export class AuditTrail implements Audit {
  readonly #logger: Logger;
  readonly #metrics: AuditMetrics;
  readonly #process = randomBytes(4).toString('hex');
  #count = 0;
  #options: AuditOptions | undefined = undefined;
  #kinds: ReadonlySet<string> = new Set();
  /** What the lines go to; equal for the same. */
  #place = '';
  #writer: AuditWriter | undefined = undefined;
  #stream: LineStream | undefined = undefined;
  #window: DenialWindow | undefined = undefined;
  /** Whose denial was told of already, also by another exchange of the same request. */
  #told = new WeakMap<Problem, object>();
  readonly #closing = new Set<Promise<void>>();

  constructor(@Inject(LOGGER) logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = new AuditMetrics(metrics.registry, () => this.state === 'failing');
  }

  get state(): AuditState {
    if (this.#options === undefined) return 'off';
    return this.#writer?.isFailing === true ? 'failing' : 'ok';
  }

  /** Whether events of a kind are written now. */
  writes(kind: AuditEvent['kind']): boolean {
    return this.#kinds.has(kind) && this.state === 'ok';
  }

  /** Whether nothing may happen that cannot be written. */
  get refuses(): boolean {
    return this.#options?.onFailure === 'refuse' && this.state === 'failing';
  }

  /**
   * Goes by another configuration. Where events go elsewhere from now on, the last one in the old place says so.
   *
   * @param folder that a relative file starts from.
   */
  use(options: AuditOptions | undefined, folder: string): void {
    const place = options === undefined ? '' : placeOf(options, folder);
    const before = this.#options;
    if (before !== undefined && this.#place !== place) this.#leave(place);
    this.#window?.end();
    this.#options = options;
    this.#kinds = new Set(options?.events);
    this.#window = options && new DenialWindow(options.denials, (one) => this.#suppressed(one));
    // The buffer is of its writer: another size is another one, to the same place.
    const isSame = this.#place === place && before?.buffer === options?.buffer;
    this.#place = place;
    if (isSame) return;
    this.#end();
    if (options !== undefined) this.#open(options, place);
  }

  record(event: AuditEvent): void {
    if (!this.#kinds.has(event.kind)) return;
    const isRefused = event.kind === 'denial' || event.outcome === 'refused';
    const address = addressBlock(event.source?.address ?? '');
    if (isRefused && this.#window?.takes(address, event.reason ?? event.outcome) === false) return;
    this.#write(event);
  }

  /** Takes note of an exchange that closes, when something of it was denied, or would have been. */
  closed(exchange: Exchange): void {
    if (!this.#kinds.has('denial')) return;
    const { problem, cancelled, denied, shadowDenied } = exchange;
    // Sockets and streams that are open have no problem to write; what ended them is why they were cancelled.
    const refused = denied ?? [problem, cancelled].find((one) => one !== undefined && isDenial(one));
    if (refused !== undefined) this.#denied(exchange, refused);
    if (shadowDenied !== undefined) this.record(shadowOf(exchange, shadowDenied));
  }

  /** Takes note of the parts of an answer that were denied; an event for each rule, whatever the number of places. */
  partsDenied(exchange: Exchange, problems: readonly Problem[]): void {
    if (!this.#kinds.has('denial')) return;
    const denials = new FieldDenials();
    for (const problem of problems)
      if (isDenial(problem) && this.#isNew(exchange, problem)) denials.add(problem);
    for (const { problem, count } of denials.all())
      this.record({ ...denialOf(exchange, problem, 'field'), ...(count > 1 && { count }) });
  }

  /** Writes to the file that is at its place now. */
  reopen(): void {
    this.#writer?.reopen();
  }

  /** Writes what waits, as the process ends. */
  async close(): Promise<void> {
    this.#window?.end();
    this.#kinds = new Set();
    this.#end();
    await Promise.all(this.#closing);
  }

  #denied(exchange: Exchange, problem: Problem): void {
    if (this.#isNew(exchange, problem)) this.record(denialOf(exchange, problem, 'request'));
  }

  // Operations of a connection end with it, each by the same problem, and share its trace; a request id could be the client's.
  #isNew({ trace }: Exchange, problem: Problem): boolean {
    if (this.#told.get(problem) === trace) return false;
    this.#told.set(problem, trace);
    return true;
  }

  #suppressed({ address, reason, count }: Suppressed): void {
    this.#metrics.suppressed(count);
    const source = { address: address ?? '(others)' };
    const actor = { type: 'anonymous' } as const;
    this.#write({ kind: 'denial', action: 'several', outcome: 'suppressed', actor, source, reason, count });
  }

  #write(event: AuditEvent): void {
    this.#metrics.recorded(event.kind, event.outcome);
    this.#count += 1;
    const line = auditLine(event, { id: `${this.#process}-${this.#count}`, timeMs: Date.now() });
    if (this.#writer !== undefined) this.#writer.write(line);
    else this.#stream?.write(line);
  }

  #leave(to: string): void {
    const details = { to: to === '' ? 'nowhere' : to };
    this.#write({ kind: 'audit', action: 'leave', outcome: 'done', actor: GATEWAY, details });
  }

  #open({ to, buffer, onFailure }: AuditOptions, place: string): void {
    if (to === 'stdout') {
      this.#stream = lineStreamOf(this.#logger);
      return;
    }
    const output = to === 'stderr' ? new DescriptorOutput(STANDARD_ERROR) : new FileOutput(place);
    this.#writer = new AuditWriter(output, {
      maxBytes: buffer,
      dropped: () => this.#metrics.lost(),
      lost: (count) =>
        this.#write({ kind: 'audit', action: 'lost', outcome: 'failed', actor: GATEWAY, count }),
      changed: (error) => {
        // Availability as configured: either way it is seen here, in the metrics and by readiness.
        if (error === undefined) this.#logger.info({ audit: place }, 'audit events can be written again');
        else this.#logger.error({ audit: place, onFailure, err: error }, 'audit events cannot be written');
      },
    });
  }

  #end(): void {
    const writer = this.#writer;
    this.#writer = this.#stream = undefined;
    if (writer === undefined) return;
    const closing = writer.close(LAST_LINES_MS).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function placeOf({ to, file }: AuditOptions, folder: string): string {
  return file === undefined ? to : resolve(folder, file);
}
