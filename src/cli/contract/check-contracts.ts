import { acceptedSince, acceptingEntry } from '../../contracts/changes/accepted-changes.ts';
import { changeLine, type ContractChange } from '../../contracts/changes/contract-change.ts';
import { openapiChanges } from '../../contracts/changes/openapi-changes.ts';
import { problemChanges, type ListedProblem } from '../../contracts/changes/problem-changes.ts';
import type { OpenApiDocument } from '../../contracts/openapi.ts';
import type { OfferedModules, Outlet } from '../commands.ts';
import { Incomparable } from '../incomparable.ts';
import { renderTable } from '../table.ts';
import { currentContracts, type ContractTexts } from './contract-files.ts';
import type { CheckContractsCommand } from './contracts-command.ts';
import { gatewayDocument } from './document-source.ts';
import { keptContracts, textOf, type KeptContracts } from './kept-contracts.ts';

/** A change, and whether somebody has accepted it. */
interface Judged extends ContractChange {
  readonly accepted: boolean;
}

/**
 * Compares the contracts of a configuration with those that clients rely on, and shows what breaks them.
 *
 * @returns whether nothing does that is not accepted.
 * @throws {Incomparable} when one of them cannot be had.
 */
export async function runCheckContracts(
  command: CheckContractsCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<boolean> {
  const { name, changes } = await found(command, modules).catch((error: unknown) => {
    throw new Incomparable(error as Error);
  });
  const refused = changes.filter(({ breaks, accepted }) => breaks && !accepted);
  if (command.json) out.write(`${JSON.stringify({ against: name, changes }, null, 2)}\n`);
  else out.write(report(name, changes, command.acceptedFile));
  return refused.length === 0;
}

async function found(
  command: CheckContractsCommand,
  modules: OfferedModules,
): Promise<{ readonly name: string; readonly changes: readonly Judged[] }> {
  const kept = keptContracts(command);
  const { acceptedFile } = command;
  const list = acceptedFile === undefined ? '' : textOf(acceptedFile);
  if (list === undefined) throw new Error(`contracts check: there is no file ${acceptedFile}`);
  const accepted = acceptedSince(kept.accepted, list);
  const changes = await changesOf(kept, await currentContracts(command.configFile, modules));
  const judged = changes.map((one) => ({ ...one, accepted: accepted.has(changeLine(one)) }));
  // What breaks comes first.
  return { name: kept.name, changes: judged.toSorted((a, b) => Number(b.breaks) - Number(a.breaks)) };
}

async function changesOf(kept: KeptContracts, now: ContractTexts): Promise<readonly ContractChange[]> {
  const openapi =
    kept.openapi === undefined
      ? []
      : openapiChanges([
          gatewayDocument(kept.openapi, `openapi.json of ${kept.name}`),
          JSON.parse(now.openapi) as OpenApiDocument,
        ]);
  const problems =
    kept.problems === undefined
      ? []
      : problemChanges(
          JSON.parse(kept.problems) as ListedProblem[],
          JSON.parse(now.problems) as ListedProblem[],
        );
  return [...openapi, ...(await schemaChangesOf(kept, now)), ...problems];
}

async function schemaChangesOf(
  { graphql: before }: KeptContracts,
  { graphql: after }: ContractTexts,
): Promise<readonly ContractChange[]> {
  if (before === undefined) return [];
  if (after === undefined)
    return [
      {
        contract: 'graphql',
        kind: 'SCHEMA_REMOVED',
        place: '',
        change: 'there is no GraphQL any more',
        breaks: true,
      },
    ];
  const { graphqlChanges } = await import('../../contracts/changes/graphql-changes.ts');
  return graphqlChanges(before, after);
}

function report(name: string, changes: readonly Judged[], acceptedFile: string | undefined): string {
  const head = `contracts: compared with ${name}\n`;
  if (changes.length === 0) return `${head}nothing has changed that clients rely on\n`;
  const rows = changes.map(({ contract, kind, place, change, breaks, accepted }) => ({
    clients: breaks ? (accepted ? 'accepted' : 'BREAKS') : 'may notice',
    contract,
    kind,
    place,
    change,
  }));
  const refused = changes.filter(({ breaks, accepted }) => breaks && !accepted);
  if (refused.length === 0) return `${head}${renderTable(rows)}no break that is not accepted\n`;
  const count = `${refused.length} ${refused.length === 1 ? 'break' : 'breaks'}; keep what was, or accept them`;
  const where = acceptedFile === undefined ? 'in a list that --accepted names' : `in ${acceptedFile}`;
  const entries = refused.map((one) => `  ${acceptingEntry(changeLine(one))}\n`).join('');
  return `${head}${renderTable(rows)}${count} ${where}:\n${entries}`;
}
