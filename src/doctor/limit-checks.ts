import type { Check, Outcome } from './check.ts';
import type { Surroundings } from './surroundings.ts';

/** What a process has open besides connections. */
const OTHERS = 64;

/** Whether the process may open as many files as its connections take. */
export function limitChecks(around: Surroundings, limit = openFiles()): readonly Check[] {
  const run = async (): Promise<Outcome> => limitFinding(around, limit);
  return [{ name: 'files', subject: 'ulimit -n', run }];
}

function limitFinding({ source }: Surroundings, limit: number): Outcome {
  const upstreams = Object.values(source.value.upstreams);
  const outgoing = upstreams.reduce((sum, { protocol, targets, maxConnections }) => {
    // Unary calls of gRPC have connections of their own, and streams too; of a registry at least one target.
    const perTarget = protocol === 'grpc' ? 2 * maxConnections : maxConnections;
    return sum + Math.max(1, targets.length) * perTarget;
  }, 0);
  // Each of them is for a client that is connected.
  const wanted = 2 * outgoing + OTHERS;
  const said = limit === Infinity ? 'any number of open files' : `${limit} open files`;
  const needs = `targets may take ${outgoing}, their clients as many`;
  if (limit >= wanted) return { level: 'ok', what: `${said}; ${needs}` };
  const mend = `ulimit -n ${wanted}, LimitNOFILE=${wanted} of systemd, or less of upstreams.*.maxConnections`;
  return {
    level: limit < OTHERS + outgoing / 8 ? 'fail' : 'warn',
    what: `${said}, fewer than ${wanted}: ${needs}`,
    mend,
  };
}

function openFiles(): number {
  const report = process.report.getReport() as {
    readonly userLimits?: Readonly<Record<string, { readonly soft: number | string }>>;
  };
  const soft = report.userLimits?.['open_files']?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}
