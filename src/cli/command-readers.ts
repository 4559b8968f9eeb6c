import type { Command } from './arguments.ts';
import { accessCommand } from './access-command.ts';
import { adminTokenCommand } from './admin-token-command.ts';
import { benchCommand } from './bench-command.ts';
import { bundleCommand, configCommand } from './config-orders.ts';
import { contractsCommand } from './contract/contracts-command.ts';
import { devCommand } from './dev/dev-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { explainCommand } from './explain-command.ts';
import { generateCommand, initCommand } from './project/scaffold-command.ts';
import { logLevelCommand } from './log-level.ts';
import { protoCommand } from './proto/proto-command.ts';
import { quotaCommand } from './quota.ts';
import { recordCommand } from './record-command.ts';
import { replayCommand } from './replay-command.ts';
import { revokeCommand } from './revoke.ts';
import { simulateCommand } from './simulate-command.ts';
import { tiersCommand } from './tiers.ts';

/** Commands that read what stands behind them themselves; undefined is for help. */
export const READERS: Readonly<Record<string, (args: readonly string[]) => Command | undefined>> = {
  access: accessCommand,
  'admin-token': adminTokenCommand,
  bench: benchCommand,
  config: configCommand,
  contracts: contractsCommand,
  dev: devCommand,
  doctor: doctorCommand,
  explain: explainCommand,
  generate: generateCommand,
  init: initCommand,
  'log-level': logLevelCommand,
  proto: protoCommand,
  quota: quotaCommand,
  record: recordCommand,
  replay: replayCommand,
  revoke: revokeCommand,
  simulate: simulateCommand,
  'support-bundle': bundleCommand,
  tiers: tiersCommand,
};
