import { Inject, Injectable, Optional } from '@nestjs/common';
import type { z } from 'zod';
import type { Environment } from '../../config/env.schema.ts';
import { ENVIRONMENT } from '../../config/tokens.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { GRPC_STATUS_NAMES } from '../../problems/grpc-refusal.ts';
import { Problem, type ProblemOptions } from '../../problems/problem.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { LOGGER } from '../../telemetry/telemetry.module.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { changes, depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { faultPolicy } from './fault.policy.ts';

type FaultOptions = z.output<typeof faultPolicy.schema>;

/** Statuses that may come with `Retry-After` (RFC 9110 section 10.2.3, RFC 6585 section 4). */
const MAY_COME_AGAIN: ReadonlySet<number> = new Set([413, 429, 503]);

/** Delays and refuses a share of the requests that it is for. */
export class FaultStage implements Stage {
  readonly #options: FaultOptions;
  readonly #random: () => number;
  readonly #refusal: ProblemOptions;

  /** @param random numbers from 0 up to and without 1. */
  constructor(options: FaultOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
    this.#refusal = refusalOf(options);
  }

  enter(exchange: Exchange): void | Promise<void> {
    if (!this.#isFor(exchange)) return undefined;
    const { delay, abort } = this.#options;
    const isAborted = abort !== undefined && this.#random() < abort.share;
    if (delay !== undefined && this.#random() < delay.share)
      return wait(exchange, delay.for).then(() => this.#refuseIf(isAborted));
    return this.#refuseIf(isAborted);
  }

  #refuseIf(isAborted: boolean): void {
    if (isAborted) throw new Problem('fault-injected', this.#refusal);
  }

  explain(exchange: Exchange): StageVerdict {
    if (!this.#isFor(exchange)) return passes({}, 'such a request is left alone');
    const { delay, abort } = this.#options;
    this.#refuseIf(abort?.share === 1);
    if (abort === undefined && delay?.share === 1) return changes('every request waits');
    return depends('chance decides whether it waits, or is refused with fault-injected');
  }

  #isFor({ principal, request }: Exchange): boolean {
    const { header, anyRole } = this.#options;
    if (anyRole !== undefined && !anyRole.some((role) => principal?.roles.includes(role) === true))
      return false;
    if (header === undefined) return true;
    const given = request.headers[header.name];
    return given !== undefined && (header.value === undefined || given === header.value);
  }
}

function refusalOf({ abort }: FaultOptions): ProblemOptions {
  const { status, grpcStatus } = abort ?? {};
  const grpc = grpcStatus === undefined ? undefined : GRPC_STATUS_NAMES.indexOf(grpcStatus);
  // Only who is told to come again is told when.
  const headers = status === undefined || MAY_COME_AGAIN.has(status) ? { 'retry-after': '1' } : {};
  return { by: 'fault.abort', headers, as: { http: status, grpc } };
}

/** Waits, but no longer than somebody waits for the answer. */
function wait(exchange: Exchange, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      exchange.offCancel(cancelled);
      resolve();
    }, ms);
    const cancelled = (reason: Problem): void => {
      clearTimeout(timer);
      reject(reason);
    };
    exchange.onCancel(cancelled);
  });
}

/** Compiles the `fault` policy, where the environment allows it. */
@Injectable()
export class FaultStageFactory implements StageFactory {
  readonly policy = faultPolicy;
  readonly #isOn: boolean;

  constructor(
    @Optional() @Inject(ENVIRONMENT) environment: Environment | undefined,
    @Optional() @Inject(LOGGER) private readonly logger: Logger | undefined,
  ) {
    this.#isOn = environment?.injectsFaults === true;
  }

  compile({ policies: { fault }, routeId }: StageInput): Stage | undefined {
    if (fault === undefined) return undefined;
    if (this.#isOn) return new FaultStage(fault);
    // Fails safe: what was left in a file makes no faults where nobody has asked for them, and keeps nobody from starting.
    this.logger?.warn({ route: routeId }, '`fault` has no effect: FAULT_INJECTION is not on');
    return undefined;
  }
}

/** Registers the policy in THE ORDER. */
export const fault = { policy: faultPolicy, factory: FaultStageFactory };
