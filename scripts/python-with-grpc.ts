import { spawnSync } from 'node:child_process';
import { allOnPath } from './system-package.ts';

/** What the gRPC peer of the tests imports. */
const IMPORTS = 'import grpc, google.protobuf.json_format, google.protobuf.descriptor_pool';

/**
 * The first `python3` on the PATH that has gRPC and protobuf. A distribution's packages belong to its own Python,
 * which need not be the first one: version managers put theirs before it.
 */
export function pythonWithGrpc(): string | undefined {
  return allOnPath('python3').find(
    (python) => spawnSync(python, ['-c', IMPORTS], { stdio: 'ignore', timeout: 30_000 }).status === 0,
  );
}
