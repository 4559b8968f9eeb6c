import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { runInThisContext } from 'node:vm';
import { testExchange } from '../../src/bff/bff-app.fixture.ts';
import { ignoreDiscardedErrors } from '../../src/bff/graphql/execution/discarded-errors.ts';
import { Documents, isFaults } from '../../src/bff/graphql/documents/documents.ts';
import { answerOf, refusalOf } from '../../src/bff/graphql/execution/graphql-answer.ts';
import { GRAPHQL_DEFAULTS } from '../../src/bff/graphql/door/graphql.options.ts';
import { OperationContext } from '../../src/bff/graphql/execution/operation-context.ts';
import type { Operation } from '../../src/bff/graphql/execution/operation.ts';
import { differences, type Answered } from './differences.ts';
import { DocumentWriter, type RandomDocument } from './documents.ts';
import { Random } from './random.ts';
import { WorldContext, worlds, worldSchema } from './world.ts';

/** `ENGINES_FROM=20000 ENGINES_COUNT=50000 npx jest test/engines` looks further. */
const FROM = Number(process.env['ENGINES_FROM'] ?? 1);
const COUNT = Number(process.env['ENGINES_COUNT'] ?? 800);
const AT_ONCE = 50;
const NO_LIMITS = {
  ...GRAPHQL_DEFAULTS,
  production: false,
  maxTokens: 1e6,
  maxDepth: 1e6,
  maxFields: 1e6,
  maxAliases: 1e6,
  maxRootFields: 1e6,
  maxDirectives: 1e6,
  maxOperations: 1e6,
  maxMerges: 1e9,
};

Logger.overrideLogger(false);
const schema = worldSchema();
const counts = { valid: 0, compiled: 0, runs: 0, failed: 0, lost: 0 };

function prepare({ text, operationName }: RandomDocument, compileAfter: number): Operation | undefined {
  const found = new Documents(schema, { ...NO_LIMITS, compileAfter }).find(text, operationName);
  // Two fields of one name can contradict each other; such documents run on no engine.
  return isFaults(found) ? undefined : found.operation;
}

async function answer(
  operation: Operation,
  seed: number,
  variables: Record<string, unknown>,
): Promise<Answered> {
  const request = new IncomingMessage(new Socket());
  const context = new OperationContext(testExchange(request, new ServerResponse(request)));
  const world = new WorldContext(seed);
  worlds.set(context, world);
  const outcome = await operation.run(context, variables);
  const { data, errors = [] } = outcome;
  const body = data === undefined ? refusalOf(errors, false) : answerOf(outcome, context).body;
  return { ...(JSON.parse(body) as Pick<Answered, 'data'>), ran: world.ran };
}

/** What differs for one seed, ready to be read. */
async function compare(seed: number): Promise<readonly string[]> {
  const document = new DocumentWriter(schema, new Random(seed)).document();
  const interpreted = prepare(document, Infinity);
  const compiled = prepare(document, 0);
  if (interpreted === undefined || compiled === undefined) return [];
  counts.valid += 1;
  const found: string[] = [];
  // The compiled operation runs several times: nothing of one run may show in the next.
  for (const [index, variables] of document.variables.entries()) {
    const expected = await answer(interpreted, seed * 10 + index, variables);
    const actual = await answer(compiled, seed * 10 + index, variables);
    counts.runs += 1;
    if (expected.errors !== undefined) counts.failed += 1;
    const differing = differences(expected, actual, document.text.includes('@'));
    if (differing.length === 0) continue;
    const shown = [expected, actual].map((one) => JSON.stringify(one));
    found.push(
      `seed ${seed}: ${differing.join()}\n${document.text}\n${JSON.stringify(variables)}\n${shown.join('\n')}`,
    );
  }
  if (compiled.state === 'compiled') counts.compiled += 1;
  return found;
}

describe('graphql-js and graphql-jit, as the driver uses them', () => {
  // The process of Jest itself: its own listener takes every rejection for a failure of the test.
  const real = runInThisContext('process') as NodeJS.Process;
  const others = real.listeners('unhandledRejection');
  let stop: (() => void) | undefined;
  beforeAll(() => {
    real.removeAllListeners('unhandledRejection');
    stop = ignoreDiscardedErrors(real);
  });
  afterAll(() => {
    stop?.();
    for (const listener of others) real.on('unhandledRejection', listener);
  });

  it(`answer the same to random documents from seed ${FROM} on`, async () => {
    for (let seed = FROM; seed < FROM + COUNT; seed += AT_ONCE) {
      const seeds = Array.from(
        { length: Math.min(AT_ONCE, FROM + COUNT - seed) },
        (_, index) => seed + index,
      );
      expect((await Promise.all(seeds.map(compare))).flat()).toEqual([]);
    }
    // A corpus that tests nothing would be silent too.
    expect(counts.valid).toBeGreaterThan(COUNT / 2);
    expect(counts.compiled).toBeGreaterThan(counts.valid * 0.7);
    expect(counts.failed).toBeGreaterThan(counts.runs * 0.2);
  }, 120_000);
});
