import { redisFault } from '../../../store/redis.ts';

/** How long Redis may take for what an operator wants. */
const BUDGET_MS = 3000;

/** What somebody wants that cannot be done; its message is for the operator. */
export class ApiKeyFault extends Error {
  readonly kind: 'unknown' | 'conflict' | 'unavailable';

  constructor(kind: ApiKeyFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** There is no such key. */
export function unknownKey(id: string): ApiKeyFault {
  return new ApiKeyFault('unknown', `there is no key ${id} in Redis`);
}

/** Asks Redis, which may take its time. @throws {ApiKeyFault} when it does not answer; nobody knows then what it has done. */
export async function inTime<Result>(ask: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis did not answer in time')), BUDGET_MS);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    if (error instanceof ApiKeyFault) throw error;
    const message = `Redis does not do it (${redisFault(error)}); try again when it is back, and look with \`gatehouse keys list\` what there is`;
    throw new ApiKeyFault('unavailable', message);
  } finally {
    clearTimeout(timer);
  }
}
