import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { CatalogueEntry } from '../src/problems/catalogue.ts';
import { built } from './built.ts';
import { withValues } from './chart-values.ts';
import { formatted } from './formatted.ts';
import { metricsPage } from './metrics-page.ts';
import { withOperations } from './operations-table.ts';
import { policyPages } from './policy-pages.ts';

const { toEditorSchema } = await built<typeof import('../src/config/json-schema.ts')>('config/json-schema');
const { catalogue } = await built<typeof import('../src/problems/catalogue.ts')>('problems/catalogue');
const { configForm } = await built<typeof import('../src/pipeline/actions.ts')>('pipeline/actions');

const { policyDefinition } = await built<typeof import('../src/kubernetes/policy-definition.ts')>(
  'kubernetes/policy-definition',
);

const ROOT = join(import.meta.dirname, '..');

/**
 * Writes what is derived from the built gateway: the pages of errors, metrics and policies, the schema for editors, the
 * values of the chart, the definition of the kind of policies for clusters. `--check` only compares.
 */
async function main(): Promise<void> {
  const stale: string[] = [];
  for (const [file, text] of Object.entries(await generate())) {
    const path = join(ROOT, file);
    if ((await readFile(path, 'utf8').catch(() => '')) === text) continue;
    stale.push(file);
    if (!process.argv.includes('--check')) await writeFile(path, text);
  }
  if (stale.length === 0) return;
  const done = process.argv.includes('--check') ? 'stale, run `npm run generate`' : 'written';
  process.stdout.write(`${stale.join(', ')}: ${done}\n`);
  process.exitCode = process.argv.includes('--check') ? 1 : 0;
}

async function generate(): Promise<Record<string, string>> {
  const title = 'Gatehouse configuration';
  const schema = JSON.stringify(toEditorSchema(configForm.gateway, { title, sharing: true }));
  const ofTeams = JSON.stringify(
    toEditorSchema(configForm.team(), {
      title: `${title}, file of a team`,
      sharing: true,
    }),
  );
  const texts = {
    ...(await policyPages()),
    'config/gateway.schema.json': schema,
    'deploy/helm/gatehouse/README.md': withValues(
      await read('deploy/helm/gatehouse/README.md'),
      await read('deploy/helm/gatehouse/values.yaml'),
    ),
    'config/team.schema.json': ofTeams,
    'deploy/kubernetes/crds/gatehouse.dev_gatehousepolicies.yaml': `# Generated from the schemas of the policies by \`npm run generate\`.\n${stringify(policyDefinition(), { aliasDuplicateObjects: false, lineWidth: 110 })}`,
    'docs/metrics.md': await metricsPage(),
    'docs/admin-api.md': await withOperations(await read('docs/admin-api.md')),
    'docs/errors.md': errorsPage(),
  };
  return Object.fromEntries(
    await Promise.all(
      Object.entries(texts).map(async ([file, text]) => [file, await formatted(file, text)] as const),
    ),
  );
}

function read(file: string): Promise<string> {
  return readFile(join(ROOT, file), 'utf8');
}

function errorsPage(): string {
  const entries: [string, CatalogueEntry][] = Object.entries(catalogue);
  const sections = entries.map(
    ([code, { status, title, stage, retryable, cause, remedy }]) => `
## ${code}

**${status}** · ${title} · said by \`${stage}\`${retryable ? ' · may succeed later' : ''}

- **Cause.** ${cause}
- **What to do.** ${remedy}
`,
  );
  return `# Errors

<!-- Generated from src/problems/catalogue.ts by \`npm run generate\`. -->

Every error of the gateway itself is an RFC 9457 problem (\`application/problem+json\`). \`code\` is stable and
is one of the headings below; \`instance\` names the exchange, which is the \`id\` of its access line and its
\`X-Request-Id\`. GraphQL carries the same code in \`errors[].extensions.code\`; clients of gRPC hear
[a status](passing-grpc.md#what-the-gateway-refuses). An error body of an upstream passes
through untouched.
${sections.join('')}`;
}

await main();
