import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { adminOf, type AdminVariables } from './admin-variables.ts';
import { ConfigError, type ConfigFault } from './config-fault.ts';
import { expectation } from './expectation.ts';
import { LOG_LEVELS } from './log-levels.ts';
import { nearestName } from './nearest-name.ts';
import { readOtel, type OtelEnvironment } from './otel-environment.ts';
import { readRedisAccess, type RedisAccess } from './redis-access.ts';
import { redisUrlFault } from './redis-url.ts';
import { duration } from './units.ts';
import { filedVariables } from './filed-variables.ts';

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'expected a port number from 0 (any free port) to 65535')
  .transform(Number)
  .refine((number) => number <= 65_535, 'expected a port number from 0 (any free port) to 65535');

const host = z.string().regex(/^[^\s/]+$/, 'expected a host name or an IP address to listen on');

const redisUrl = z.string().superRefine((text, context) => {
  const message = redisUrlFault(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
const text = z.string().trim();

const NAME_EXPECTED =
  'expected names with commas between them, each a host, a host and a port, or https:// and one of them';
const hostNames = z
  .string()
  .transform((listed) => listed.split(',').map((one) => one.trim()))
  .refine(
    (names) => names.every((name) => /^(?:https:\/\/)?[a-z0-9_.-]+(?::\d{1,5})?$/i.test(name)),
    NAME_EXPECTED,
  );

const MOST_WORKERS = 128;
const WORKERS_EXPECTED = `expected auto, or a number from 1 to ${MOST_WORKERS}`;

const workers = z
  .string()
  .regex(/^(?:auto|[1-9]\d{0,2})$/, WORKERS_EXPECTED)
  .transform((text) => (text === 'auto' ? text : Number(text)))
  .refine((count) => count === 'auto' || count <= MOST_WORKERS, WORKERS_EXPECTED);

const wait = duration.refine((ms) => ms <= 3_600_000, 'expected at most 1h');

export type { AdminVariables } from './admin-variables.ts';

/** Everything that takes a restart to change. Each variable has a default; an empty one counts as unset. */
export const environmentSchema = z.object({
  PORT: port.default(8080).describe('Port for clients. Default 8080.'),
  HOST: host
    .default('0.0.0.0')
    .describe('Address for clients. Default 0.0.0.0, so that it works in a container.'),
  ADMIN_PORT: port.default(9080).describe('Port for operators: metrics, health, admin API. Default 9080.'),
  ADMIN_HOST: host
    .default('127.0.0.1')
    .describe('Address for operators; one that is not loopback needs ADMIN_TOKENS_FILE. Default 127.0.0.1.'),
  ADMIN_TOKENS_FILE: text
    .optional()
    .describe('File in YAML with the tokens and certificates of operators. Default: nobody is asked.'),
  ADMIN_CERT_FILE: text
    .optional()
    .describe('File in PEM with the certificate of the operators’ listener. Default: no TLS.'),
  ADMIN_KEY_FILE: text.optional().describe('File in PEM with the key of that certificate. Default: none.'),
  ADMIN_CLIENT_CA_FILE: text
    .optional()
    .describe('File in PEM with who signs certificates of operators. Default: none is asked for.'),
  ADMIN_HOSTS: hostNames
    .optional()
    .describe(
      'Names with a dot that operators know their listener by, with commas between them. Default none.',
    ),
  ADMIN_TOKEN: text
    .optional()
    .describe('Token that commands show at the operators’ listener. Default: none.'),
  ADMIN_TOKEN_FILE: text.optional().describe('File with that token. Default: none.'),
  ADMIN_CA_FILE: text
    .optional()
    .describe('File in PEM with who signs what commands ask. Default: none more.'),
  REDIS_URL: redisUrl
    .optional()
    .describe(
      'State shared by replicas: redis://, redis+sentinel:// or redis+cluster://, with TLS rediss…. Default: kept in this process.',
    ),
  REDIS_URL_FILE: text
    .optional()
    .describe('File with what REDIS_URL would say, password included. Default: REDIS_URL says it.'),
  REDIS_PASSWORD_FILE: text
    .optional()
    .describe('File with the password for Redis. Default: the one of REDIS_URL.'),
  REDIS_CA_FILE: text
    .optional()
    .describe('File in PEM with who signs the certificates of Redis. Default: those that Node trusts.'),
  REDIS_CERT_FILE: text
    .optional()
    .describe('File in PEM with the certificate that Redis is shown. Default: none.'),
  REDIS_KEY_FILE: text.optional().describe('File in PEM with the key of that certificate. Default: none.'),
  REDIS_SERVER_NAME: text
    .optional()
    .describe('Name that the certificates of Redis are for. Default: the host of each server.'),
  REDIS_SENTINEL_USERNAME: text.optional().describe('User at the Sentinels. Default: none.'),
  REDIS_SENTINEL_PASSWORD_FILE: text
    .optional()
    .describe('File with the password for the Sentinels. Default: none.'),
  REDIS_TIMEOUT: duration
    .refine((ms) => ms >= 1 && ms <= 60_000, 'expected 1ms to 60s')
    .default(10)
    .describe('How long a request waits for a call to Redis; uses that may wait longer do. Default 10ms.'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('Least important lines to log. Default info.'),
  GATEHOUSE_CONFIG: z
    .string()
    .default('config/gateway.yaml')
    .describe('The configuration file. Default config/gateway.yaml.'),
  GATEHOUSE_MODULES: text.optional().describe('File that exports the modules. Default none.'),
  GATEHOUSE_WATCH: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether a change of the configuration file is taken over; SIGHUP always is. Default on.'),
  ANSWER_HEADS: z
    .enum(['composed', 'node'])
    .default('composed')
    .describe(
      'Who writes the heads of small forwarded answers: the gateway, which takes less CPU, or node:http. Default composed.',
    ),
  METRICS_MAX_SERIES: z
    .string()
    .regex(/^[1-9]\d{2,6}$/, 'expected a number from 100 to 9999999')
    .transform(Number)
    .default(20_000)
    .describe(
      'How many lines of a scrape each metric may have; what comes beyond is counted under the label `other`. Default 20000.',
    ),
  FAULT_INJECTION: z
    .enum(['on', 'off'])
    .default('off')
    .describe('Whether the policy `fault` makes faults. Default off.'),
  NODE_ENV: z
    .enum(['production', 'development', 'test'])
    .default('development')
    .describe('Default development.'),
  WORKERS: workers
    .default(1)
    .describe(
      'How many processes serve: auto for one per core. More than one share their state through Redis. Default 1.',
    ),
  WORKER_TIMEOUT: z
    .union([z.literal('off'), wait.refine((ms) => ms >= 100, 'expected at least 100ms')])
    .default(30_000)
    .describe(
      'How long a worker may give its primary no answer before it is killed and replaced; off for any time. Default 30s.',
    ),
  DRAIN_DELAY: wait
    .default(1000)
    .describe(
      'How long to serve on after readiness says no, for load balancers and clients to notice. Default 1s.',
    ),
  SHUTDOWN_TIMEOUT: wait
    .default(10_000)
    .describe('How long open exchanges may take to finish before they are cut off. Default 10s.'),
});

/** The environment, checked and typed. */
export interface Environment {
  /** 0 for any free port. */
  readonly port: number;
  readonly host: string;
  /** 0 for any free port. */
  readonly adminPort: number;
  readonly adminHost: string;
  /** Of the operators' listener. Default: nothing of it is said. */
  readonly admin?: AdminVariables | undefined;
  readonly redisUrl: string | undefined;
  /** What of that is in files; undefined where nothing is. */
  readonly redisAccess?: RedisAccess | undefined;
  /** How long one call to Redis may take. Default 10. */
  readonly redisTimeoutMs?: number | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly configFile: string;
  /** Whether the file is watched. */
  readonly watchesConfig: boolean;
  /** Whether the gateway writes heads itself. */
  readonly composesHeads: boolean;
  /** How many lines of a scrape each metric may have. */
  readonly metricsMaxSeries: number;
  /** Whether faults may be made on purpose. */
  readonly injectsFaults: boolean;
  readonly mode: 'production' | 'development' | 'test';
  /** How many processes serve; with 1 the one that was started does. */
  readonly workers: number;
  /** How long a worker may give no answer before it is killed; Infinity for any time. */
  readonly workerTimeoutMs: number;
  readonly drainDelayMs: number;
  readonly shutdownTimeoutMs: number;
  /** Where and how spans are exported; undefined for not at all. */
  readonly otel?: OtelEnvironment | undefined;
}

/** Variables whose content is never printed. */
const SECRET_VARIABLES: ReadonlySet<string> = new Set(['REDIS_URL', 'ADMIN_TOKEN']);

/**
 * Checks the environment and fills in the defaults.
 *
 * @returns a frozen object.
 * @throws ConfigError with one fault per bad variable.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const { given, keyOf, faults: unfiled } = filedVariables(env);
  const result = environmentSchema.safeParse(given);
  const { access, faults: unread } = readRedisAccess(result.data ?? {});
  const otel = readOtel(given);
  const faults = result.success
    ? [...portConflict(result.data), ...workersAlone(result.data), ...unread]
    : result.error.issues.map((issue) => toFault(issue, given, keyOf));
  faults.push(...unfiled, ...otel.faults);
  if (faults.length > 0 || !result.success) throw new ConfigError(faults);
  const { data } = result;
  return Object.freeze({
    port: data.PORT,
    host: data.HOST,
    adminPort: data.ADMIN_PORT,
    adminHost: data.ADMIN_HOST,
    admin: adminOf(data),
    redisUrl: data.REDIS_URL,
    redisAccess: access,
    redisTimeoutMs: data.REDIS_TIMEOUT,
    logLevel: data.LOG_LEVEL,
    configFile: data.GATEHOUSE_CONFIG,
    watchesConfig: data.GATEHOUSE_WATCH === 'on',
    composesHeads: data.ANSWER_HEADS === 'composed',
    metricsMaxSeries: data.METRICS_MAX_SERIES,
    injectsFaults: data.FAULT_INJECTION === 'on',
    mode: data.NODE_ENV,
    workers: data.WORKERS === 'auto' ? availableParallelism() : data.WORKERS,
    workerTimeoutMs: data.WORKER_TIMEOUT === 'off' ? Infinity : data.WORKER_TIMEOUT,
    drainDelayMs: data.DRAIN_DELAY,
    shutdownTimeoutMs: data.SHUTDOWN_TIMEOUT,
    otel: otel.value,
  });
}

function toFault(
  issue: z.core.$ZodIssue,
  variables: Readonly<Record<string, string | undefined>>,
  keyOf: (name: string) => string,
): ConfigFault {
  const name = String(issue.path[0]);
  const given = variables[name] ?? '';
  const shown = SECRET_VARIABLES.has(name)
    ? 'a value that is not shown, it may hold a password'
    : JSON.stringify(given);
  const suggestion =
    issue.code === 'invalid_value' ? nearestName(given, issue.values.map(String)) : undefined;
  const message = `${expectation([issue], given)}, given ${shown}`;
  return { file: 'environment', key: keyOf(name), message, suggestion };
}

/** Both listeners on one address would fail anyway, but later and with a worse message. */
function portConflict(data: z.output<typeof environmentSchema>): ConfigFault[] {
  const wildcards = ['0.0.0.0', '::'];
  const overlap =
    data.HOST === data.ADMIN_HOST || wildcards.includes(data.HOST) || wildcards.includes(data.ADMIN_HOST);
  if (data.PORT === 0 || data.PORT !== data.ADMIN_PORT || !overlap) return [];
  return [
    {
      file: 'environment',
      key: 'ADMIN_PORT',
      message: `expected another port than PORT, given ${data.PORT} for both`,
    },
  ];
}

// Fails closed: each of them would have limits, quotas, revocations and idempotency keys of its own, and admit so many times
// as much. `auto` is refused on a machine with one core too: what starts there has to start on the next one.
function workersAlone(data: z.output<typeof environmentSchema>): ConfigFault[] {
  if (data.WORKERS === 1 || data.REDIS_URL !== undefined) return [];
  const message = `expected REDIS_URL beside it: limits, quotas, revocations and breakers of ${data.WORKERS === 'auto' ? 'several' : data.WORKERS} workers agree through Redis, and each would count for itself without; or set WORKERS=1`;
  return [{ file: 'environment', key: 'WORKERS', message }];
}
