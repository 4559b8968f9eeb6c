import { Injectable, Optional } from '@nestjs/common';
import type { Exchange } from '../../exchange/exchange.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { classesOf } from '../caller-priority/caller-priority.policy.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { LoadMonitor } from './load-monitor.ts';
import { loadSheddingPolicy } from './load-shedding.policy.ts';
import { mostImportant, shedShare, type PriorityClass } from './priority-class.ts';
import { shed } from './shed.ts';

/** Whom a stage refuses for, and who counts it. */
export interface ShedDeps {
  readonly routeId: string;
  readonly monitor: LoadMonitor;
  readonly metrics: Metrics | undefined;
  /** Numbers from 0 up to and without 1. Default chance. */
  readonly random?: () => number;
}

/** Refuses requests of a route by its class, before anybody asks who calls. */
export class LoadSheddingStage implements Stage {
  readonly #priority: PriorityClass;
  readonly #deps: ShedDeps;
  readonly #random: () => number;

  constructor(priority: PriorityClass, deps: ShedDeps) {
    this.#priority = priority;
    this.#deps = deps;
    this.#random = deps.random ?? Math.random;
    deps.monitor.watch();
  }

  enter(_exchange: Exchange): void {
    const { level } = this.#deps.monitor;
    // Fails open: without a reading nothing is refused.
    if (level === 0) return;
    const share = shedShare(this.#priority, level);
    if (share === 0 || this.#random() >= share) return;
    const { routeId, metrics } = this.#deps;
    metrics?.overload.refused(routeId, 'load-shed', this.#priority);
    throw shed(this.#priority);
  }

  explain(): StageVerdict {
    return explainShed(this.#priority, this.#deps.monitor.level);
  }

  close(): void {
    this.#deps.monitor.unwatch();
  }
}

/** What is told of a class at a level. @throws {Problem} when all of it are refused. */
export function explainShed(priority: PriorityClass, level: number): StageVerdict {
  const share = shedShare(priority, level);
  const facts = { class: priority, level: level.toFixed(2) };
  if (share === 1) throw shed(priority);
  if (share > 0) return depends('chance decides whether it is refused with load-shed', facts);
  return passes(facts);
}

/** Compiles the `loadShedding` policy. */
@Injectable()
export class LoadSheddingStageFactory implements StageFactory {
  readonly policy = loadSheddingPolicy;

  constructor(
    private readonly monitor: LoadMonitor,
    @Optional() private readonly metrics?: Metrics,
  ) {}

  compile({ policies, routeId, paths }: StageInput): Stage | undefined {
    const { loadShedding: own, callerPriority } = policies;
    // Where there is no route there is nothing to be refused.
    if (own === undefined || paths === undefined) return undefined;
    // Who may turn out to matter more is refused once it is known who calls.
    const priority = mostImportant([own.priority, ...classesOf(callerPriority)]);
    if (priority === 'critical') return undefined;
    return new LoadSheddingStage(priority, { routeId, monitor: this.monitor, metrics: this.metrics });
  }
}
