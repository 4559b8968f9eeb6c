import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import { stringify } from 'yaml';
import type { CatalogueEntry } from '../src/problems/catalogue.ts';
import { built } from './built.ts';
import { metricsPage } from './metrics-page.ts';
import { withOperations } from './operations-table.ts';
import { policyPages } from './policy-pages.ts';

const { toEditorSchema } = await built<typeof import('../src/config/json-schema.ts')>('config/json-schema');
const { catalogue } = await built<typeof import('../src/problems/catalogue.ts')>('problems/catalogue');
const { gatewaySchema } = await built<typeof import('../src/pipeline/actions.ts')>('pipeline/actions');

const { policyDefinition } = await built<typeof import('../src/kubernetes/policy-definition.ts')>(
  'kubernetes/policy-definition',
);

const ROOT = join(import.meta.dirname, '..');

/**
 * Writes what is derived from the built gateway: the pages of errors, metrics and policies, the schema for editors,
 * the definition of the kind of policies for clusters. `--check` only
 * compares.
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
  const schema = JSON.stringify(
    toEditorSchema(gatewaySchema, { title: 'Gatehouse configuration', sharing: true }),
  );
  const policies = Object.entries(await policyPages()).map(
    async ([file, text]) =>
      [file, await format(text, { parser: 'markdown', printWidth: 110, singleQuote: true })] as const,
  );
  return {
    ...Object.fromEntries(await Promise.all(policies)),
    'config/gateway.schema.json': await format(schema, { parser: 'json', printWidth: 110 }),
    'docs/metrics.md': await format(await metricsPage(), { parser: 'markdown', printWidth: 110 }),
    'docs/admin-api.md': await format(
      await withOperations(await readFile(join(ROOT, 'docs/admin-api.md'), 'utf8')),
      { parser: 'markdown', printWidth: 110, singleQuote: true },
    ),
    'deploy/kubernetes/crds/gatehouse.dev_gatehousepolicies.yaml': `# Generated from the schemas of the policies by \`npm run generate\`.\n${stringify(policyDefinition(), { aliasDuplicateObjects: false, lineWidth: 110 })}`,
    'docs/errors.md': await format(errorsPage(), { parser: 'markdown', printWidth: 110 }),
  };
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
