import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { changes, type StageVerdict } from '../explained-stage.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { editHeaders, NO_EDITS, type HeaderEdits } from '../transform/header-edits.ts';
import { deprecationPolicy, timeOf } from './deprecation.policy.ts';
import { CallerCounts } from './caller-counts.ts';

type DeprecationOptions = z.output<(typeof deprecationPolicy)['schema']>;

/** Compiles the stage of routes that go. */
@Injectable()
export class DeprecationStageFactory implements StageFactory {
  readonly policy = deprecationPolicy;
  readonly #counts: CallerCounts;

  constructor(metrics: Metrics) {
    this.#counts = new CallerCounts(metrics);
  }

  compile({ routeId, version = '', policies }: StageInput): Stage | undefined {
    const { deprecation } = policies;
    return deprecation && new DeprecationStage(deprecation, { routeId, version, counts: this.#counts });
  }
}

interface Counting {
  readonly routeId: string;
  readonly version: string;
  readonly counts: CallerCounts;
}

class DeprecationStage implements Stage {
  // Refusals too: who is refused for now has to move all the same.
  readonly heads = 'all';
  readonly #fields: HeaderEdits;
  readonly #counting: Counting;
  readonly #goneAt: number;
  readonly #successor: string | undefined;

  constructor(options: DeprecationOptions, counting: Counting) {
    const { sunset, afterSunset, successor } = options;
    const set = fieldsOf(options);
    // What the service says of it itself gives way: there is one date, and links add up.
    const drop = new Set(['deprecation', ...(sunset === undefined ? [] : ['sunset'])]);
    this.#fields = { ...NO_EDITS, set, drop, folded: drop };
    this.#counting = counting;
    this.#goneAt = afterSunset === 'gone' && sunset !== undefined ? timeOf(sunset) : Infinity;
    this.#successor = successor;
  }

  enter({ principal }: Exchange): void {
    const { routeId, version, counts } = this.#counting;
    counts.count(routeId, version, principal);
    this.#refuseGone();
  }

  explain(): StageVerdict {
    this.#refuseGone();
    return changes(`the answer gets ${namesOf(this.#fields.set)}`);
  }

  #refuseGone(): void {
    if (Date.now() < this.#goneAt) return;
    const successor = this.#successor;
    if (successor === undefined) throw new Problem('version-gone');
    throw new Problem('version-gone', { detail: `Use ${successor} instead.`, extensions: { successor } });
  }

  head(_: Exchange, head: ResponseHead): void {
    editHeaders(head.headers, this.#fields);
  }
}

function namesOf(fields: readonly string[]): string {
  return [...new Set(fields.filter((_, index) => index % 2 === 0))].join(', ');
}

function fieldsOf({ since, sunset, link, successor }: DeprecationOptions): string[] {
  const fields = ['deprecation', `@${Math.floor(timeOf(since) / 1000)}`];
  if (sunset !== undefined) fields.push('sunset', new Date(timeOf(sunset)).toUTCString());
  if (link !== undefined) fields.push('link', `<${link}>; rel="deprecation"`);
  if (link !== undefined && sunset !== undefined) fields.push('link', `<${link}>; rel="sunset"`);
  if (successor !== undefined) fields.push('link', `<${successor}>; rel="successor-version"`);
  return fields;
}

/** Registers the policy in THE ORDER. */
export const deprecation = { policy: deprecationPolicy, factory: DeprecationStageFactory };
