import { Injectable, Optional } from '@nestjs/common';
import { compileCondition, type ExchangeCondition } from '../../conditions/condition.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { StageVerdict } from '../explained-stage.ts';
import { LoadMonitor } from '../load-shedding/load-monitor.ts';
import { explainShed, type ShedDeps } from '../load-shedding/load-shedding.stage.ts';
import { mostImportant, shedShare, type PriorityClass } from '../load-shedding/priority-class.ts';
import { shed } from '../load-shedding/shed.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { StageFault } from '../stage-fault.ts';
import type { Stage } from '../stage.ts';
import { callerPriorityPolicy, classesOf, type CallerPriorityOptions } from './caller-priority.policy.ts';

/** What callers of a route are worth. */
interface Classes {
  /** Of who has no other. */
  readonly usual: PriorityClass;
  /** By which the route refuses before it is known who calls; undefined where it does not. */
  readonly early: PriorityClass | undefined;
  readonly tiers: ReadonlyMap<string, PriorityClass>;
  readonly rules: readonly { readonly holds: ExchangeCondition; readonly priority: PriorityClass }[];
}

/** Refuses requests by the class of their caller. */
export class CallerPriorityStage implements Stage {
  readonly #classes: Classes;
  readonly #deps: ShedDeps;
  readonly #random: () => number;

  constructor(classes: Classes, deps: ShedDeps) {
    this.#classes = classes;
    this.#deps = deps;
    this.#random = deps.random ?? Math.random;
    deps.monitor.watch();
  }

  enter(exchange: Exchange): void {
    const { level } = this.#deps.monitor;
    // Fails open: without a reading nothing is refused, and no condition is looked at.
    if (level === 0) return;
    const priority = this.#classOf(exchange);
    if (this.#random() >= this.#shareOf(priority, level)) return;
    const { routeId, metrics } = this.#deps;
    metrics?.overload.refused(routeId, 'load-shed', priority);
    throw shed(priority);
  }

  explain(exchange: Exchange): StageVerdict {
    return explainShed(this.#classOf(exchange), this.#deps.monitor.level);
  }

  close(): void {
    this.#deps.monitor.unwatch();
  }

  /** Of those that were not refused before: so that of all the share of the class is. */
  #shareOf(priority: PriorityClass, level: number): number {
    const { early } = this.#classes;
    const all = shedShare(priority, level);
    const before = early === undefined ? 0 : shedShare(early, level);
    return all <= before ? 0 : (all - before) / (1 - before);
  }

  #classOf(exchange: Exchange): PriorityClass {
    const { rules, tiers, usual } = this.#classes;
    for (const { holds, priority } of rules) if (holds(exchange)) return priority;
    const tier = exchange.principal?.tier;
    return (tier === undefined ? undefined : tiers.get(tier)) ?? usual;
  }
}

/** Compiles the `callerPriority` policy. */
@Injectable()
export class CallerPriorityStageFactory implements StageFactory {
  readonly policy = callerPriorityPolicy;

  constructor(
    private readonly monitor: LoadMonitor,
    @Optional() private readonly metrics?: Metrics,
  ) {}

  compile({ policies, routeId }: StageInput): Stage | undefined {
    const { callerPriority: options, loadShedding } = policies;
    if (options === undefined) return undefined;
    const early = loadShedding && mostImportant([loadShedding.priority, ...classesOf(options)]);
    const classes: Classes = {
      usual: loadShedding?.priority ?? 'normal',
      early,
      tiers: new Map(Object.entries(options.tiers)),
      rules: options.rules.map(compiled),
    };
    return new CallerPriorityStage(classes, { routeId, monitor: this.monitor, metrics: this.metrics });
  }
}

function compiled({ when, priority }: CallerPriorityOptions['rules'][number], index: number) {
  try {
    return { holds: compileCondition(when), priority };
  } catch (error) {
    throw new StageFault(['callerPriority', 'rules', index, 'when'], (error as Error).message);
  }
}

/** Registers the policy in THE ORDER. */
export const callerPriority = {
  policy: callerPriorityPolicy,
  factory: CallerPriorityStageFactory,
};
