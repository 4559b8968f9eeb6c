import { ConfigError, type ConfigFault } from './config-fault.ts';
import { siteOfTeam, type CodeSite } from './code-site.ts';

/** A call of an upstream that code has declared. */
export interface DeclaredName {
  readonly name: string;
  readonly upstream: string;
  readonly protocol: string;
  readonly site: CodeSite | undefined;
}

/** What was declared while the code of modules was loaded, and what is wrong with it. */
export interface CodeLedger {
  readonly faults: readonly ConfigFault[];
  readonly calls: readonly DeclaredName[];
}

interface OpenLedger extends CodeLedger {
  readonly faults: ConfigFault[];
  readonly calls: DeclaredName[];
}

let open: OpenLedger | undefined;
const kept = new WeakMap<object, CodeLedger>();

/**
 * Loads code, and goes on where a declaration is wrong, so that all that is wrong with it is told at once.
 *
 * @returns what was loaded; {@link ledgerOf} has what is wrong with it.
 * @throws {ConfigError} with the faults so far, when loading ends with an error; the error itself when there are none.
 */
export async function collectDeclarations<Loaded extends object>(
  load: () => Promise<Loaded>,
): Promise<Loaded> {
  const ledger: OpenLedger = { faults: [], calls: [] };
  open = ledger;
  try {
    const loaded = await load();
    kept.set(loaded, ledger);
    return loaded;
  } catch (error) {
    if (ledger.faults.length === 0) throw error;
    const last = error instanceof ConfigError ? error.faults : [toldOf(error)];
    throw new ConfigError([...ledger.faults, ...last]);
  } finally {
    open = undefined;
  }
}

function toldOf(error: unknown): ConfigFault {
  return { file: 'modules', key: '', message: error instanceof Error ? error.message : String(error) };
}

/** What came with what {@link collectDeclarations} has loaded; undefined for anything else. */
export function ledgerOf(loaded: object): CodeLedger | undefined {
  return kept.get(loaded);
}

/**
 * Says that a declaration is wrong. The caller goes on without it, as far as that makes sense.
 *
 * @throws {ConfigError} with the faults at once, where nobody collects them.
 */
export function refuseDeclaration(faults: readonly ConfigFault[]): void {
  if (open === undefined) throw new ConfigError(faults);
  const site = siteOfTeam();
  const code = faults.map((fault) => ({ ...fault, code: { at: site, ...fault.code } }));
  open.faults.push(...code);
}

/** Whether declarations are collected, so that one that is wrong does not end the loading. */
export function areCollected(): boolean {
  return open !== undefined;
}

/** Takes note of a call that was declared. */
export function noteCall(call: Omit<DeclaredName, 'site'>): void {
  open?.calls.push({ ...call, site: siteOfTeam() });
}
