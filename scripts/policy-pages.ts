import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DoorName } from '../src/policies/doors.ts';
import type { Before, Per } from '../src/policies/policy-facts.ts';
import type { Policy } from '../src/policies/policy.ts';
import type { ProblemCode } from '../src/problems/catalogue.ts';
import { built } from './built.ts';

const { toEditorSchema } = await built<typeof import('../src/config/json-schema.ts')>('config/json-schema');
const { DOORS } = await built<typeof import('../src/policies/doors.ts')>('policies/doors');
const { policyList } = await built<typeof import('../src/policies/order.ts')>('policies/order');
const { stepOf } = await built<typeof import('../src/policies/policy-facts.ts')>('policies/policy-facts');
const { catalogue } = await built<typeof import('../src/problems/catalogue.ts')>('problems/catalogue');

const ROOT = join(import.meta.dirname, '..');

const PER: Readonly<Record<Per, string>> = {
  connection: 'once for a connection',
  operation: 'for the handshake of a connection and for each operation on it',
  answer: 'for each answer; not for handshakes and streams of answers',
};

const BEFORE: Readonly<Record<Before, string>> = {
  match: 'before a route is looked for',
  identity: 'before it is known who calls',
  body: 'before a byte of the body is read',
  action: 'after the body, before anybody answers',
};

const ON_FIELDS = { all: 'fields and types', roots: 'queries, mutations, subscriptions' } as const;

/** The pages of all policies and their index: what policies say of themselves, and the notes in their folders. */
export async function policyPages(): Promise<Record<string, string>> {
  const pages = await Promise.all(
    policyList.map(async (policy) => [`docs/policies/${folderOf(policy)}.md`, await pageOf(policy)] as const),
  );
  return { ...Object.fromEntries(pages), 'docs/policies/README.md': indexPage() };
}

/** The folder of a policy, and the name of its page. */
export function folderOf({ name }: Policy): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

async function pageOf(policy: Policy): Promise<string> {
  const folder = folderOf(policy);
  const notes = await readFile(join(ROOT, 'src/policies', folder, `${folder}.md`), 'utf8').catch(() => '');
  return `# ${policy.name}

<!-- Generated from src/policies/${folder} by \`npm run generate\`. -->

${policy.summary}

${factsOf(policy)}

${optionsOf(policy)}

${notes}`;
}

function factsOf(policy: Policy): string {
  const { per, before, refusesWith, answerFields = {}, onFields } = policy;
  const entered =
    typeof per === 'string'
      ? PER[per]
      : `on proxied routes ${PER[per.proxy]}; on handlers ${PER[per.handler]}`;
  const rows: [string, string][] = [
    ['Shown as', `\`${stepOf(policy)}\``],
    ['Entered', `${BEFORE[before]}; ${entered}`],
    ['Says no with', refusesWith.map(linkTo).join(', ') || 'nothing'],
    [
      'Adds to every answer',
      Object.keys(answerFields)
        .map((name) => `\`${name}\``)
        .join(', ') || '–',
    ],
    ['On GraphQL fields', onFields === undefined ? '–' : ON_FIELDS[onFields]],
    ...Object.entries(unfitOf(policy)).map(([reason, doors]): [string, string] => [
      'Not at',
      `${doors.join(', ')}: ${reason}`,
    ]),
  ];
  return ['| Fact | |', '| --- | --- |', ...rows.map(([name, text]) => `| ${name} | ${text} |`)].join('\n');
}

/** The doors that a policy does not fit, by the reason. */
function unfitOf({ unfit = {} }: Policy): Readonly<Record<string, readonly string[]>> {
  const doors = Object.keys(unfit) as DoorName[];
  return Object.fromEntries(
    [...new Set(Object.values(unfit))].map((reason) => [
      reason,
      doors.filter((door) => unfit[door] === reason).map((door) => DOORS[door]),
    ]),
  );
}

function linkTo(code: ProblemCode): string {
  return `**${catalogue[code].status}** [\`${code}\`](../errors.md#${code})`;
}

/** The part of a JSON schema that options are read from. */
interface Node {
  readonly description?: string;
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
}

function optionsOf({ name, schema }: Policy): string {
  const root = toEditorSchema(schema) as Node;
  const rows = new Map<string, string>();
  gather(root, '', rows);
  const own = [...rows].map(([key, text]) => `| \`${key === '' ? name : key}\` | ${text} |`);
  return ['| Option | Means |', '| --- | --- |', ...own].join('\n');
}

function gather(node: Node, path: string, rows: Map<string, string>, isRequired = false): void {
  const { description, properties = {}, anyOf = [], items } = node;
  const own = node.const === undefined ? path : `${path}${path === '' ? '' : ': '}${String(node.const)}`;
  if (description !== undefined && !rows.has(own))
    rows.set(own, `${description.replaceAll('|', '\\|')}${isRequired ? ' Required.' : ''}`);
  for (const [key, value] of Object.entries(properties))
    gather(value, path === '' ? key : `${path}.${key}`, rows, node.required?.includes(key));
  for (const inner of [...anyOf, ...(items === undefined ? [] : [items])]) gather(inner, path, rows);
}

function indexPage(): string {
  const rows = policyList.map((policy) => {
    const statuses = [...new Set(policy.refusesWith.map((code) => catalogue[code].status))].join(', ');
    const [sentence = ''] = policy.summary.split(/(?<=\.) /);
    return `| [${policy.name}](${folderOf(policy)}.md) | ${sentence} | ${stepOf(policy)} | ${statuses || 'nothing'} |`;
  });
  return `# Policies

<!-- Generated from src/policies/order.ts by \`npm run generate\`. -->

A policy is a name and a schema. The same schema reads the YAML key and the decorator's argument, so both
doors yield the same options. In the order in which a request meets them:

| Policy | What it does | Shown as | Says no with |
| --- | --- | --- | --- |
${rows.join('\n')}

The order is fixed in [order.ts](../../src/policies/order.ts), the only place where policies are registered. Levels and
\`off\` are explained in [configuration.md](../configuration.md#policies). Every policy acts at every door, or its page
says why it cannot: [policy-doors.e2e-spec.ts](../../test/policies/policy-doors.e2e-spec.ts) sends real requests to each.
`;
}
