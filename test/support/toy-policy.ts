import { z } from 'zod';
import type { Answer } from '../../src/exchange/exchange.ts';
import type { Before, Per } from '../../src/policies/policy-facts.ts';
import { definePolicy, type Policy } from '../../src/policies/policy.ts';
import type { StageFactory } from '../../src/policies/stage-factory.ts';
import type { Stage } from '../../src/policies/stage.ts';

/** A policy of a test; its facts say where its stages are entered. */
export function toyPolicy(
  name: string,
  facts: { readonly per?: Per; readonly before?: Before } = {},
): Policy {
  return definePolicy({
    name,
    schema: z.unknown(),
    summary: 'A toy.',
    per: 'operation',
    before: 'body',
    refusesWith: [],
    describe: () => '',
    ...facts,
  });
}

/** A factory that gives every route the same stage. */
export function toyFactory(policy: Policy, stage: Stage): StageFactory {
  return { policy, compile: () => stage };
}

/** An answer of a stage. */
export function toyAnswer(text: string, status = 200, headers: readonly string[] = []): Answer {
  return { status, headers: ['content-type', 'application/json', ...headers], body: Buffer.from(text) };
}
