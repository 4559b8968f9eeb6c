import { createRequire } from 'node:module';
import type { Environment } from '../config/env.schema.ts';
import { otelSecrets } from '../config/otel-environment.ts';
import { parseArguments, UsageError, type Command } from './arguments.ts';
import { faultText } from './fault-text.ts';
import { takeModules } from './project/modules-option.ts';
import { plainOutlet } from './plain-outlet.ts';
import { takeToken } from './token-option.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { learnEnvironment, learnSecret, redacted } from '../telemetry/redaction.ts';
import { Incomparable } from './incomparable.ts';
import { endWithReader } from './broken-pipe.ts';
import { asUsage, OrderRefused } from './order-refused.ts';

const USAGE_EXIT_CODE = 2;
const DIFFERS_EXIT_CODE = 1;
/** Commands that go on when nobody reads what they say. */
const SERVING: ReadonlySet<string> = new Set(['start', 'dev']);

/**
 * Runs the `gatehouse` bin. Sets the exit code: 0, 1 for a fault or a difference, 2 for arguments that make no sense.
 *
 * @param offered what `modules:` of the configuration can name, or what loads them: only commands that need them wait for
 * that. Default: what `--modules`, `GATEHOUSE_MODULES` or `gatehouse.config.ts` name.
 */
export async function main(args: readonly string[], offered?: OfferedModules): Promise<void> {
  learnEnvironment(process.env);
  for (const secret of otelSecrets(process.env)) learnSecret(secret);
  try {
    const { rest, shown } = takeToken(args);
    learnSecret(shown['ADMIN_TOKEN']);
    const taken = await takeModules(rest, process.env, offered);
    const command = parseArguments(taken.rest);
    if (!SERVING.has(command.name)) for (const one of [process.stdout, process.stderr]) endWithReader(one);
    Object.assign(process.env, shown, taken.shown);
    await run(command, taken.modules);
  } catch (caught) {
    const error = caught instanceof OrderRefused ? asUsage(caught, args) : caught;
    const isUsage = error instanceof UsageError || error instanceof Incomparable;
    process.exitCode = isUsage ? USAGE_EXIT_CODE : 1;
    const text = faultText(error instanceof Incomparable ? error.cause : error, process.stderr.isTTY);
    withoutSecrets(process.stderr).write(`${text}\n`);
  }
}

// The code of each command is loaded when it is run: a gateway is much, and help needs none of it.
async function run(command: Command, modules: OfferedModules): Promise<void> {
  const { stdout: out, stderr: err } = process;
  const shown = withoutSecrets(out);
  if (isVerdict(command)) {
    process.exitCode = (await isWell(command, modules, shown)) ? 0 : DIFFERS_EXIT_CODE;
    return undefined;
  }
  switch (command.name) {
    case 'help':
      return void out.write(`${command.text}\n`);
    case 'version':
      return void out.write(`${version()}\n`);
    case 'admin-token':
      return (await import('./admin-token.ts')).runAdminToken(command, out);
    case 'keys create':
      return (await import('./keys.ts')).runCreateKey(command, await environment(), out);
    case 'keys':
      return (await import('./key-orders.ts')).runKeys(command, await environment(), plainOutlet(out));
    case 'openapi':
    case 'client':
      return (await import('./contract/write-contract.ts')).runContracts(command, modules, out);
    case 'contracts':
      return (await import('./contract/contract-files.ts')).runWriteContracts(command, modules, out);
    case 'access':
      return (await import('./access.ts')).runAccess(command, modules, shown);
    case 'bench':
      return (await import('./bench.ts')).runBench(command, modules, shown);
    case 'dev':
      return (await import('./dev/dev.ts')).runDev(command, plainOutlet(out));
    case 'explain':
      return (await import('./explain.ts')).runExplain(command, modules, shown);
    case 'generate':
      return (await import('./project/generate.ts')).runGenerate(command, out);
    case 'init':
      return (await import('./project/init.ts')).runInit(command, out);
    case 'import':
      return (await import('./import/import.ts')).runImport(command, { out, err });
    case 'canary':
    case 'log-level':
    case 'quota':
    case 'tiers':
    case 'targets':
    case 'config':
    case 'support-bundle':
      return runOrder(command, shown);
    case 'revoke':
      return (await import('./revoke.ts')).runRevoke(command, await environment(), shown);
    case 'record':
      return (await import('./record.ts')).runRecord(command, await environment(), shown);
    case 'start':
      return (await import('./start.ts')).runStart(command.configFile, modules);
    case 'routes':
      return (await import('./validate.ts')).runRoutes(command, modules, shown);
  }
}

type Verdict = Extract<
  Command,
  { name: 'contracts check' | 'diff' | 'doctor' | 'proto' | 'replay' | 'simulate' | 'validate' }
>;

const VERDICTS: ReadonlySet<string> = new Set([
  'contracts check',
  'diff',
  'doctor',
  'proto',
  'replay',
  'simulate',
  'validate',
]);

function isVerdict(command: Command): command is Verdict {
  return VERDICTS.has(command.name);
}

// Commands whose exit code says what they have found.
async function isWell(command: Verdict, modules: OfferedModules, shown: Outlet): Promise<boolean> {
  switch (command.name) {
    case 'contracts check':
      return (await import('./contract/check-contracts.ts')).runCheckContracts(command, modules, shown);
    case 'diff':
      return !(await (await import('./diff.ts')).runDiff(command, modules, shown));
    case 'doctor':
      return (await import('./doctor.ts')).runDoctor(command, modules, shown);
    case 'proto':
      return (await import('./proto/generate.ts')).runProto(command, { out: shown, err: process.stderr });
    case 'replay':
      return !(await (await import('./replay.ts')).runReplay(command, modules, shown));
    case 'simulate':
      return (await import('./simulate.ts')).runSimulate(command, modules, shown);
    case 'validate': {
      const outlets = { out: shown, err: withoutSecrets(process.stderr) };
      return (await import('./validate.ts')).runValidate(command, modules, outlets);
    }
  }
}

async function runOrder(
  command: Extract<
    Command,
    { name: 'canary' | 'log-level' | 'quota' | 'tiers' | 'targets' | 'config' | 'support-bundle' }
  >,
  shown: Outlet,
): Promise<void> {
  switch (command.name) {
    case 'tiers':
      return (await import('./tiers.ts')).runTiers(command, await environment(), shown);
    case 'quota':
      return (await import('./quota.ts')).runQuota(command, await environment(), shown);
    case 'log-level':
      return (await import('./log-level.ts')).runLogLevel(command, await environment(), shown);
    case 'canary':
      return (await import('./canary.ts')).runCanary(command, await environment(), shown);
    case 'targets':
      return (await import('./target-orders.ts')).runTargets(command, await environment(), shown);
    case 'config': {
      const { runConfig } = await import('./config-orders.ts');
      if (!(await runConfig(command, await environment(), shown))) process.exitCode = 1;
      return;
    }
    case 'support-bundle':
      return (await import('./config-orders.ts')).runBundle(command, await environment(), shown);
  }
}

// Not for what is made to be taken away whole: a new key, a document, an imported configuration.
function withoutSecrets(outlet: NodeJS.WriteStream): Outlet {
  return plainOutlet({
    write: (text) => outlet.write(redacted(text)),
    isTTY: outlet.isTTY,
    columns: outlet.columns,
  });
}

async function environment(): Promise<Environment> {
  return (await import('../config/env.schema.ts')).readEnvironment(process.env);
}

function version(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}
