import { describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { ignoreDiscardedErrors } from './discarded-errors.ts';

const late = new GraphQLError('late', { path: ['items', 0] });

/** graphql-js itself, in a process of its own: the second element makes the list null, the first fails later. */
const SCRIPT = `
  import { buildSchema, execute, parse } from 'graphql';
  SETUP
  const schema = buildSchema('type Query { items: [Item!] } type Item { a: String! }');
  schema.getType('Item').getFields().a.resolve = () =>
    new Promise((_, reject) => setImmediate(() => reject(new Error('late'))));
  const rootValue = { items: [{}, null] };
  const answer = await execute({ schema, document: parse('{ items { a } }'), rootValue });
  setTimeout(() => console.log('alive', JSON.stringify(answer.data)), 50);
`;

function run(setup: string): { status: number | null; stdout: string } {
  const args = ['--input-type=module', '--eval', SCRIPT.replace('SETUP', setup)];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
}

describe(ignoreDiscardedErrors.name, () => {
  it('keeps alive a process that graphql-js would end', () => {
    expect(run('').status).toBe(1);
    const file = join(import.meta.dirname, 'discarded-errors.ts');
    const setup = `import { ignoreDiscardedErrors } from ${JSON.stringify(file)}; ignoreDiscardedErrors();`;
    expect(run(setup)).toMatchObject({ status: 0, stdout: 'alive {"items":null}\n' });
  });

  it('lets every other rejection end the process, however many drivers there are', () => {
    const events = new EventEmitter();
    const ends = [ignoreDiscardedErrors(events), ignoreDiscardedErrors(events)];
    expect(events.listenerCount('unhandledRejection')).toBe(1);
    expect(() => events.emit('unhandledRejection', late)).not.toThrow();
    expect(() => events.emit('unhandledRejection', new GraphQLError('elsewhere'))).toThrow('elsewhere');
    expect(() => events.emit('unhandledRejection', new Error('a defect'))).toThrow('a defect');
    ends[0]?.();
    expect(events.listenerCount('unhandledRejection')).toBe(1);
    ends[1]?.();
    expect(events.listenerCount('unhandledRejection')).toBe(0);
  });

  it('leaves the decision to others who listen', () => {
    const events = new EventEmitter();
    const end = ignoreDiscardedErrors(events);
    events.on('unhandledRejection', () => {});
    expect(() => events.emit('unhandledRejection', new Error('a defect'))).not.toThrow();
    end();
  });
});
